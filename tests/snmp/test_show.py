"""``tenone snmp show`` as a program: its JSON, its tables, its one sentence when it cannot."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from drivers.snmp import mib
from drivers.snmp.ber import Tag
from drivers.snmp.target import Target
from tenone.cli.snmp import read
from tenone.cli.snmp_view import Snapshot, as_json, render
from tests.snmp.conftest import Respond, Store
from tests.snmp.oracle import captures, compare, devices
from tests.snmp.test_recorded import findings_by_index, look

ROOT = Path(__file__).parents[2]
PORT_KEYS = [
    "if_index", "name", "descr", "alias", "type", "mac", "admin", "oper", "speed_mbps", "duplex",
    "mtu", "in_octets", "out_octets", "in_errors", "out_errors", "in_discards", "out_discards",
    "last_change_seconds",
]  # fmt: skip
recorded = pytest.mark.skipif(
    not devices(), reason=f"no recorded devices in {captures()}: set TENONE_CAPTURES"
)


def tenone(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tenone.cli", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )


@pytest.fixture
def replayed() -> Iterator[Any]:
    """Start ``tenone sim switch --replay`` as a process; returns its port."""
    started: list[subprocess.Popen[str]] = []

    def start(name: str) -> int:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "tenone.cli", "sim", "switch", "--ready-json",
                "--replay", str(captures() / f"{name}.snmprec"),
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        return int(ready["switches"][0]["port"])

    yield start
    for process in started:
        process.terminate()
        process.communicate()


@recorded
def test_json_of_a_replayed_switch(replayed: Any) -> None:
    port = replayed("comware_a5500")
    done = tenone("snmp", "show", f"127.0.0.1:{port}", "-c", "public", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert list(shown) == [
        "system", "ports", "neighbours", "sensors", "optics", "poe", "ups", "chassis", "notes",
    ]  # fmt: skip
    assert list(shown["system"]) == [
        "descr", "object_id", "name", "uptime_seconds", "vendor", "model", "version", "serial",
    ]  # fmt: skip
    assert all(list(port) == PORT_KEYS for port in shown["ports"])
    assert compare("comware_a5500", shown, {}).wrong == []
    done = tenone("snmp", "show", f"127.0.0.1:{port}", "-c", "public")
    assert done.returncode == 0
    assert "GigabitEthernet1/0/1" in done.stdout


@recorded
@pytest.mark.slow
@pytest.mark.parametrize("name", devices())
def test_every_recorded_device_by_the_program(replayed: Any, name: str) -> None:
    """The same comparison as test_recorded, through two processes and JSON."""
    done = tenone("snmp", "show", f"127.0.0.1:{replayed(name)}", "-c", "public", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    # Without the findings themselves, what they explain counts as wrong: the notes must name it.
    for entry in compare(name, shown, {}).wrong:
        what = entry.split(": ")[0].split()[-1]
        code = {"duplex": "duplex-invalid", "speed_mbps": "speed-saturated"}[what]
        assert any(f"[{code}: " in note for note in shown["notes"]), entry


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["127.0.0.1:1", "-c", "public", "--timeout", "0.05"], "did not answer within 2 x 0.05 s"),
        (["127.0.0.1:1"], "Say it with -c COMMUNITY"),
        (["127.0.0.1:1", "--v3", "user=bob,auth=sha256:secret"], "never the password"),
        (["127.0.0.1:0", "-c", "x"], "not a number between 1 and 65535"),
        (["[::1", "-c", "x"], "write an IPv6 address as [::1]:161"),
        (["nobody.invalid", "-c", "x"], "has no address"),
        (["127.0.0.1:1", "-c", "x", "--timeout", "0"], "cannot be kept"),
        (["127.0.0.1:1", "-c", "x", "--retries", "-1"], "retries must be 0 or more"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments: list[str], said: str) -> None:
    done = tenone("snmp", "show", *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_misspelt_option_is_refused() -> None:
    done = tenone("snmp", "show", "127.0.0.1:1", "-c", "x", "--jsno")
    assert done.returncode == 2
    assert "--jsno" in done.stderr


def drawn(snapshot: Snapshot, width: int) -> str:
    out = io.StringIO()
    render(snapshot, Console(file=out, width=width, color_system=None, highlight=False))
    return out.getvalue()


@recorded
@pytest.mark.parametrize("width", [30, 50, 80, 100, 140, 220])
async def test_tables_fit_the_terminal(width: int) -> None:
    text = drawn(await look("vrp_5720"), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "10G" in text
    assert ("Duplex" in text) == (width >= 76)
    assert ("MTU" in text) == (width >= 120)
    if width >= 80:
        assert "XGigabitEthernet0/0/1 " in text
        assert "LNS-Huawei" in text


HOSTILE: Store = {
    mib.SYS_DESCR: (Tag.OCTET_STRING, b"evil\x1b[2J [red]box[/red]"),
    mib.SYS_UPTIME: (Tag.TIME_TICKS, 100),
    mib.SYS_NAME: (Tag.OCTET_STRING, b"\x1b]0;title\x07name"),
    (*mib.IF_DESCR, 1): (Tag.OCTET_STRING, b"[bold]p\x1b[31m1"),
    (*mib.IF_NAME, 1): (Tag.OCTET_STRING, "端口\u202e1".encode()),
    (*mib.IF_ALIAS, 1): (Tag.OCTET_STRING, "教室".encode("gb18030")),
    (*mib.IF_OPER_STATUS, 1): (Tag.INTEGER, 1),
}


async def test_a_device_cannot_speak_to_the_terminal(respond: Respond) -> None:
    responder = await respond(HOSTILE)
    snapshot = await read(Target(host="127.0.0.1", port=responder.port, community="public"))
    text = drawn(snapshot, 120)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", text)
    assert "[red]box[/red]" in text
    assert "教室" in text
    (port,) = as_json(snapshot)["ports"]
    assert port["alias"] == "教室"
    assert port["speed_mbps"] is None
    assert port["in_octets"] is None
    assert port["mtu"] is None


@recorded
async def test_what_was_not_read_is_said() -> None:
    snapshot = await look("vrp_5720")
    state = replace(snapshot.state, errors=("127.0.0.1:1 did not answer",))
    notes = as_json(replace(snapshot, state=state))["notes"]
    assert "Not all could be read: 127.0.0.1:1 did not answer." in notes
    assert not findings_by_index(snapshot)
