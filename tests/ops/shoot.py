"""Serve the small city for looking, or take pictures of every page: ``python -m tests.ops.shoot``.

``--shots FOLDER`` takes pictures in both languages, phone and wide, light and dark;
without it the site stays up until Ctrl-C, and faults come and go.
"""

import argparse
import shutil
import time
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tenone.vocabulary.states import Cause, Severity, Verdict
from tests.ops.serving import Served, served

SIZES = {"phone": (390, 844), "laptop": (1366, 768), "wall": (1920, 1080)}
PAGES = {
    "city": "/",
    "district": "/at/binhai/east",
    "harmed": "/at/binhai/east/no3",
    "uplink": "/at/binhai/west/no5",
    "silent": "/at/binhai/west/no6",
    "empty": "/at/binhai/north/no8",
    "evil": "/at/binhai/north/evil",
    "link": "/links/no3/c-3-2",
    "missing": "/at/binhai/nowhere",
    "incidents": "/incidents",
    "incident": "/incidents/no3-000000000001",
    "no-incidents": "/incidents?scope=binhai/east/no1",
}


def shoot(browser: Browser, site: Served, folder: Path, only: set[str]) -> None:
    for language in ("zh-CN", "en"):
        for scheme in ("light", "dark"):
            for size, (width, height) in SIZES.items():
                context = browser.new_context(
                    locale=language,
                    timezone_id="Asia/Shanghai",
                    color_scheme=scheme,
                    viewport={"width": width, "height": height},
                    is_mobile=size == "phone",
                )
                page = context.new_page()
                name = f"{language}_{scheme}_{size}.png"
                if only & {"sign-in"} or not only:
                    page.goto(f"{site.url}/sign-in")
                    page.screenshot(path=folder / f"sign-in_{name}")
                context.add_cookies([{"name": "tenone", "value": site.session(), "url": site.url}])
                for title, path in PAGES.items():
                    if only and not only & {title, f"{title}_{size}", language, scheme}:
                        continue
                    page.goto(site.url + path)
                    if title != "missing":
                        page.wait_for_selector('body[data-live="1"]')
                    page.wait_for_timeout(300)
                    page.screenshot(path=folder / f"{title}_{name}", full_page=True)
                    if title == "harmed":
                        page.click('[data-link="no3/c-3-2"] .name')
                        page.wait_for_selector("dialog[open] .panel")
                        page.wait_for_timeout(300)
                        page.screenshot(path=folder / f"dialog_{name}")
                context.close()


def remember(site: Served) -> None:
    """Half an hour of history, so that the chart has something to show."""
    now = time.time()
    for scope, ring in list(site.services.trend._rings.items()):
        last = ring[-1]
        ring.clear()
        for step in range(119, -1, -1):
            bad = last.bad + (2 if 40 < step < 70 else 0) - (1 if step > 90 else 0)
            unknown = last.unknown + (4 if 20 < step < 35 else 0)
            ring.append(replace(last, at=now - step * 15, bad=max(bad, 0), unknown=unknown))
        assert site.services.trend.of(scope)


def liven(site: Served) -> None:
    """Faults come and go until Ctrl-C."""
    harmed = False
    while True:
        harmed = not harmed
        verdict = Verdict.BAD if harmed else Verdict.GOOD
        site.do(
            lambda verdict=verdict, harmed=harmed: site.services.hub.publish(  # type: ignore[misc]  # bound now
                site.city.set_link(
                    "no12/c-2-3",
                    verdict=verdict,
                    severity=Severity.WARNING if harmed else Severity.NONE,
                    causes=(Cause.SPEED,) if harmed else (),
                    negotiated_mbps=100 if harmed else 1000,
                    since=time.time(),
                )
            )
        )
        time.sleep(8)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shots", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    with served(port=arguments.port) as site:
        site.do(lambda: remember(site))
        if arguments.shots is None:
            print(f"{site.url}/sign-in#{site.code()}", flush=True)
            liven(site)
        arguments.shots.mkdir(parents=True, exist_ok=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            )
            only = set(filter(None, arguments.only.split(",")))
            shoot(browser, site, arguments.shots, only)
            browser.close()


if __name__ == "__main__":
    main()
