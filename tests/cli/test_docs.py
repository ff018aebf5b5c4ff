import os
import re
import signal
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from tenone.cli.docs import (
    PREFIX,
    anchor_of,
    application,
    docs_directory,
    find_page,
    render_page,
)

ROOT = Path(__file__).resolve().parents[2]


def reader(root: Path) -> httpx.AsyncClient:
    """A browser of the pages in ``root``, without a network."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(application(root)),
        base_url="http://docs.test",
        follow_redirects=True,
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "decisions").mkdir(parents=True)
    (folder / "index.md").write_text("# Start & more\n\n[one](decisions/one.md#b-c)\n")
    (folder / "decisions" / "one.md").write_text(
        "# One\n\n## B, c!\n\n## B, c!\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n"
        "<script>alert(1)</script>\n"
    )
    (folder / "picture.png").write_bytes(b"\x89PNG")
    (folder / "secret.key").write_text("key")
    (tmp_path / "outside.md").write_text("# Outside")
    (folder / "way-out.md").symlink_to(tmp_path / "outside.md")
    return folder


@pytest.fixture
def client(root: Path) -> httpx.AsyncClient:
    return reader(root)


def test_the_checkouts_pages_are_found() -> None:
    assert docs_directory() == ROOT / "docs"


def test_a_page_is_whole_and_escaped(root: Path) -> None:
    page = render_page(root / "index.md")
    assert page.startswith("<!doctype html>")
    assert "<title>Start &amp; more - TenOne</title>" in page
    assert '<h1 id="start--more">' in page
    one = render_page(root / "decisions" / "one.md")
    assert '<h2 id="b-c">' in one
    assert '<h2 id="b-c-1">' in one
    assert "<td>2</td>" in one
    assert "<script" not in one
    assert "&lt;script&gt;" in one


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Why the pieces are apart", "why-the-pieces-are-apart"),
        ("school.yaml", "schoolyaml"),
        ("A, b & c", "a-b--c"),
        ("上联 uplink", "上联-uplink"),
    ],
)
def test_anchors_are_those_of_the_code_host(heading: str, anchor: str) -> None:
    assert anchor_of(heading) == anchor


@pytest.mark.parametrize(
    "name",
    [
        "../outside.md",
        "decisions/../../outside.md",
        "/etc/hostname",
        "way-out.md",
        "secret.key",
        "missing.md",
        "decisions",
        "",
        "index.md\0.png",
        "..\\outside.md",
    ],
)
def test_nothing_else_is_found(root: Path, name: str) -> None:
    assert find_page(root, name) is None


async def test_the_site(client: httpx.AsyncClient) -> None:
    start = await client.get("/")
    assert start.status_code == 200
    assert start.url.path == f"{PREFIX}/index.md"
    assert "script-src" not in start.headers["content-security-policy"]
    assert start.headers["content-security-policy"].startswith("default-src 'none'")
    assert (await client.get(f"{PREFIX}/")).text == start.text
    style = await client.get(f"{PREFIX}/style.css")
    assert style.headers["content-type"].startswith("text/css")
    picture = await client.get(f"{PREFIX}/picture.png")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")


@pytest.mark.parametrize("path", ["missing.md", "..%2foutside.md", "way-out.md", "secret.key"])
async def test_what_is_not_there_is_said(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"{PREFIX}/{path}")
    assert answer.status_code == 404
    assert "No such page" in answer.text


class Links(HTMLParser):
    """Collects where a page leads and where it can be led to."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            if tag == "a" and name == "href" and value:
                self.targets.append(value)


async def test_every_link_of_the_real_pages_leads_somewhere() -> None:
    client = reader(ROOT / "docs")
    waiting, seen, broken = [f"{PREFIX}/index.md"], set(), []
    while waiting:
        url = waiting.pop()
        if url in seen or re.match(r"https?://(?!docs\.test)", url):
            continue
        seen.add(url)
        path, _, fragment = url.partition("#")
        answer = await client.get(path)
        page = Links()
        page.feed(answer.text)
        if answer.status_code != 200 or (fragment and fragment not in page.ids):
            broken.append(url)
        base = answer.url
        waiting += [str(base.join(target)) for target in page.targets]
    assert broken == []
    assert len(seen) > 8


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_the_command_serves_until_it_is_interrupted() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "from tenone.cli.main import run; run()", "docs", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", first)
        assert address is not None, first + process.stdout.read()
        assert "<h1" in httpx.get(address[0], follow_redirects=True, trust_env=False).text
        second = subprocess.run(
            [
                *[sys.executable, "-c", "from tenone.cli.main import run; run()", "docs"],
                *["--port", address[0].rsplit(":", 1)[1].strip("/")],
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert second.returncode == 1
        assert "cannot be used" in second.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.communicate()
