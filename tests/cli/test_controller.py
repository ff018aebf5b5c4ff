"""``tenone controller`` as a process: ready, served, stopped; every refusal is a sentence."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tenone.cli.controller import _url
from tenone.cli.processes import free_port
from tenone.config import load_city

START_SECONDS = 60.0
STOP_SECONDS = 20.0
CITY = """
schema_version: 1
city: {{id: binhai, name: Binhai}}
districts: [{{id: east, name: East}}]
schools:
  - schema_version: 1
    school: {{id: no1, name: No. 1, district: east, city: binhai}}
    uplink: {{broker: {{host: 127.0.0.1, port: {broker}}}}}
broker: {{embedded: true, port: {broker}}}
http: {{host: 127.0.0.1, port: {http}, tls: off}}
"""


@pytest.fixture
def city(tmp_path: Path) -> Path:
    path = tmp_path / "city.yaml"
    path.write_text(CITY.format(broker=free_port(), http=free_port()))
    return path


def start(city: Path, *options: str, **env: str) -> subprocess.Popen[str]:
    with (city.parent / "log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tenone.cli", "controller", "-c", str(city), *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | env,
        )


@pytest.fixture
def running(city: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, object]]]:
    with start(city, "--ready-json", "--demo") as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_ready_served_and_stopped(
    running: tuple[subprocess.Popen[str], dict[str, object]], city: Path
) -> None:
    process, ready = running
    assert ready["ready"] is True
    assert ready["pid"] == process.pid
    assert str(ready["sign_in_url"]).startswith(str(ready["url"]))
    assert len(str(ready["sign_in_code"])) == 14
    assert get(f"{ready['url']}/healthz") == (200, b'{"status":"ok"}')
    deadline = time.monotonic() + 20
    while get(f"{ready['url']}/readyz")[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert get(f"{ready['url']}/readyz")[0] == 200
    assert get(f"{ready['url']}/api/v1/overview")[0] == 401, "deny by default"
    assert b"tenone_ingest_blocks_total" in get(f"{ready['url']}/metrics")[1]
    process.send_signal(signal.SIGTERM)
    assert process.wait(STOP_SECONDS) == 0
    for line in (city.parent / "log").read_text().splitlines():
        assert json.loads(line)["level"] == "info"


def test_people_are_told_where_and_the_code_is_printed_once(city: Path) -> None:
    with start(city) as process:
        assert process.stdout is not None
        where, code = process.stdout.readline(), process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(STOP_SECONDS) == 0
    assert where.startswith("Binhai is served at http://127.0.0.1:")
    assert code.startswith("One-time sign-in code: ")
    assert code.split()[-1] not in (city.parent / "log").read_text()


def test_systemd_is_told(city: Path, tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(path)
        notices.settimeout(START_SECONDS)
        with start(city, NOTIFY_SOCKET=path, WATCHDOG_USEC="300000") as process:
            heard = [notices.recv(100) for _ in range(4)]
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_SECONDS) == 0
            while b"STOPPING=1" not in heard:
                heard.append(notices.recv(100))
    assert b"READY=1" in heard
    assert b"WATCHDOG=1" in heard


def said(city: Path) -> tuple[int, str]:
    with start(city) as process:
        code = process.wait(START_SECONDS)
    return code, (city.parent / "log").read_text()


def test_a_configuration_that_is_wrong_names_file_line_and_remedy(city: Path) -> None:
    city.write_text(city.read_text().replace("schema_version: 1", "schema_version: 7", 1))
    code, text = said(city)
    assert code == 2
    assert f"{city}:2" in text


@pytest.mark.parametrize(
    ("host", "hosts", "told"),
    [
        ("10.0.0.5", [], "10.0.0.5"),
        ("10.0.0.5", ["city.example"], "city.example"),
        ("10.0.0.5", ["city.example", "10.0.0.5"], "10.0.0.5"),
        ("0.0.0.0", ["city.example"], "city.example"),
    ],
)
def test_the_address_people_are_told_is_one_that_is_answered_to(
    city: Path, host: str, hosts: list[str], told: str
) -> None:
    document = yaml.safe_load(city.read_text())
    city.write_text(yaml.safe_dump(document | {"http": {"host": host, "hosts": hosts}}))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = _url(load_city(city), listening)
        assert url == f"https://{told}:{listening.getsockname()[1]}"


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        city = tmp_path / "city.yaml"
        city.write_text(CITY.format(broker=free_port(), http=taken.getsockname()[1]))
        code, text = said(city)
    assert code == 1
    assert "cannot be served" in text
    assert "http.port" in text
    assert "Traceback" not in text


@pytest.mark.slow
def test_two_controllers_on_one_store_are_refused(city: Path) -> None:
    with start(city, "--ready-json") as first:
        assert first.stdout is not None
        first.stdout.readline()
        other = city.parent / "other" / "city.yaml"
        other.parent.mkdir()
        text = CITY.format(broker=free_port(), http=free_port())
        other.write_text(f"{text}store: {{path: {city.parent / 'store'}}}\n")
        code, log = said(other)
        first.send_signal(signal.SIGTERM)
        assert first.wait(STOP_SECONDS) == 0
    assert code == 1
    assert "another controller" in log
    assert "Traceback" not in log


def sign_in(url: str, code: str) -> int:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{url}/api/v1/sessions",
        data=json.dumps({"code": code}).encode(),
        headers={"Content-Type": "application/json", "Origin": url},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_code_opens_one_session_and_the_next_code_is_said(
    running: tuple[subprocess.Popen[str], dict[str, object]],
) -> None:
    process, ready = running
    assert process.stdout is not None
    url, code = str(ready["url"]), str(ready["sign_in_code"])
    assert sign_in(url, code) == 201
    second = json.loads(process.stdout.readline())["sign_in_code"]
    assert sign_in(url, code) == 403, "a used code"
    process.send_signal(signal.SIGUSR1)  # whoever runs it asks for one more
    third = json.loads(process.stdout.readline())["sign_in_code"]
    assert len({code, second, third}) == 3
    assert sign_in(url, third) == 201


def test_the_documentation_is_served_to_whoever_is_signed_in(
    running: tuple[subprocess.Popen[str], dict[str, object]],
) -> None:
    _, ready = running
    assert get(f"{ready['url']}/handbook/index.md")[0] == 401
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{ready['url']}/api/v1/sessions",
        data=json.dumps({"code": ready["sign_in_code"]}).encode(),
        headers={"Content-Type": "application/json", "Origin": str(ready["url"])},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        cookie = answer.headers["Set-Cookie"].split(";")[0]
    page = urllib.request.Request(f"{ready['url']}/handbook/index.md", headers={"Cookie": cookie})  # noqa: S310 - loopback
    with urllib.request.urlopen(page, timeout=10) as answer:  # noqa: S310 - loopback
        assert b"internals.md" in answer.read()


def test_behind_tls_cookies_are_secure_and_metrics_want_their_token(city: Path) -> None:
    text = city.read_text()
    city.write_text(
        text.replace(
            "http: {host: 127.0.0.1,",
            "http: {behind_tls: true, metrics_token: 'env:TOKEN', host: 127.0.0.1,",
        )
    )
    with start(city, "--ready-json", TOKEN="opensesame") as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            url = ready["url"]
            request = urllib.request.Request(  # noqa: S310 - loopback
                f"{url}/api/v1/sessions",
                data=json.dumps({"code": ready["sign_in_code"]}).encode(),
                headers={"Content-Type": "application/json", "Origin": url},
            )
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
                cookie = answer.headers["Set-Cookie"]
            assert cookie.startswith("__Host-")
            assert "Secure" in cookie
            for token, status in (("opensesame", 200), ("guess", 401)):
                asked = urllib.request.Request(  # noqa: S310 - loopback
                    f"{url}/metrics",
                    headers={"X-Forwarded-For": "192.0.2.7", "Authorization": f"Bearer {token}"},
                )
                try:
                    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - loopback
                        assert answer.status == status
                except urllib.error.HTTPError as error:
                    assert error.code == status  # noqa: PT017 - the refusal is the fact
        finally:
            process.kill()


def test_a_demonstration_is_refused_where_others_can_reach_it(city: Path) -> None:
    city.write_text(
        city.read_text().replace("broker: {embedded: true,", "broker: {host: 127.0.0.1,")
    )
    with start(city, "--demo") as process:
        assert process.wait(START_SECONDS) == 2
    assert "embedded broker and a page on loopback" in (city.parent / "log").read_text()
