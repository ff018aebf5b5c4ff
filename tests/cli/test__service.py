import asyncio
import os
import signal
import socket
from pathlib import Path

import pytest

from tenone.cli._service import run_service, sd_notify, watchdog_seconds


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_it(
    abstract: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = f"@tenone-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + address[1:] if abstract else address)
        listener.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        sd_notify("READY=1")
        assert listener.recv(100) == b"READY=1"


def test_without_systemd_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    sd_notify("READY=1")
    assert not caplog.text
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    sd_notify("READY=1")
    assert "systemd could not be told 'READY=1'" in caplog.text


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [
        (None, None, None),
        ("2000000", None, 2.0),
        ("2000000", "1", None),
        ("2000000", "mine", 2.0),
        ("0", None, None),
        ("soon", None, None),
    ],
)
def test_the_watchdogs_interval(
    usec: str | None, pid: str | None, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The number itself would give this case another name in each of xdist's workers.
    asked_of = str(os.getpid()) if pid == "mine" else pid
    for name, value in {"WATCHDOG_USEC": usec, "WATCHDOG_PID": asked_of}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert watchdog_seconds() == seconds


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_for_an_orderly_end(number: signal.Signals) -> None:
    told: list[str] = []

    async def work(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.wait(), 10)
        told.append("drained")

    before = signal.getsignal(number)
    run_service(work)
    assert told == ["drained"]
    assert signal.getsignal(number) == before


def test_what_the_work_raises_comes_out() -> None:
    async def work(_stop: asyncio.Event) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        run_service(work)
