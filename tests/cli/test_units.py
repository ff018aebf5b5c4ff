"""The units: what systemd itself says of them, and that they let pass what the services do."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest
import yaml
from typer.testing import CliRunner

from tenone.cli import service_units
from tenone.cli.main import build
from tenone.cli.processes import free_port
from tenone.cli.units import Unit, UnitError, text_of

SCHOOL: dict[str, object] = {
    "schema_version": 1,
    "school": {"id": "no3", "name": "No. 3", "district": "d1", "city": "c1"},
    "uplink": {"broker": {"host": "203.0.113.7"}},
    "switches": [
        {
            "name": "core",
            "host": "10.0.0.1",
            "snmp": {"community": "vault:core"},
            "also_from": ["10.9.0.1"],
        }
    ],
    "vault": {"path": "vault", "key": "credential:vault-key"},
    "egress": {"resolvers": ["10.0.0.53"], "also": [{"to": "10.77.0.0/16", "why": "logs"}]},
}
CITY: dict[str, object] = {
    "schema_version": 1,
    "city": {"id": "c1", "name": "C"},
    "districts": [{"id": "d1", "name": "D"}],
    "schools": [SCHOOL],
    "broker": {"host": "203.0.113.7"},
    "http": {"metrics_token": "credential:metrics"},
}
ANALYZE = which("systemd-analyze")


@pytest.fixture
def school(tmp_path: Path) -> Path:
    file = tmp_path / "school.yaml"
    file.write_text(yaml.safe_dump(SCHOOL))
    return file


def unit(kind: str, config: Path, *options: str) -> str:
    done = CliRunner().invoke(
        build(["service"]), ["service", "unit", kind, "-c", str(config), *options]
    )
    assert done.exit_code == 0, done.output
    return done.output


def values(text: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def test_an_agent(school: Path) -> None:
    text = unit("agent", school)
    assert values(text, "CapabilityBoundingSet") == [""]
    assert values(text, "LoadCredential") == ["vault-key:/etc/tenone/credentials/vault-key"]
    assert values(text, "ReadWritePaths") == [str(school.parent / "outbox")]
    assert values(text, "LimitCORE") == ["0"]
    assert values(text, "StartLimitIntervalSec") == ["0"]
    assert values(text, "IPAddressDeny") == ["any"]
    assert values(text, "IPAddressAllow") == [
        "localhost", "203.0.113.7", "10.0.0.1", "10.77.0.0/16", "10.0.0.53", "10.9.0.1",
    ]  # fmt: skip
    assert not values(unit("agent", school, "--any-address"), "IPAddressDeny")


def test_a_name_that_may_move_is_not_frozen_unasked(
    school: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The city moves its broker, DHCP gives a switch another address: nothing is cut off."""
    by_name = {"uplink": {"broker": {"host": "broker.city.example"}}}
    school.write_text(yaml.safe_dump(SCHOOL | by_name))
    text = unit("agent", school)
    assert not values(text, "IPAddressDeny")
    assert "for broker.city.example may move" in text
    monkeypatch.setattr(service_units, "system_addresses", lambda host: [f"{host}-now"])
    frozen = unit("agent", school, "--freeze-names")
    assert "broker.city.example-now" in values(frozen, "IPAddressAllow")
    assert "may move" not in frozen
    assert not values(unit("agent", school, "--any-address"), "IPAddressDeny")


def test_folders_that_must_be_there_are_said_and_homes_are_shut_where_they_can_be(
    tmp_path: Path,
) -> None:
    writes = [tmp_path / "outbox", tmp_path / "outbox" / "identity"]
    text = text_of(Unit(description="d", command=["/opt/tenone/bin/tenone"], writes=writes))
    assert f"# first: install -d -o tenone -g tenone -m 700 {tmp_path}/outbox\n" in text
    assert values(text, "ProtectHome") == ["yes"]
    for place in ("/home/li/.venv/bin/tenone", "/root/tenone/bin/tenone"):
        assert values(text_of(Unit(description="d", command=[place])), "ProtectHome") == [
            "read-only"
        ]


def test_low_ports_and_no_other_capability(school: Path) -> None:
    hints = {"traps": {"listen": "0.0.0.0:162", "communities": ["env:C"]}}
    school.write_text(yaml.safe_dump(SCHOOL | hints))
    text = unit("agent", school)
    assert values(text, "CapabilityBoundingSet") == ["CAP_NET_BIND_SERVICE"]
    assert values(text, "AmbientCapabilities") == ["CAP_NET_BIND_SERVICE"]


def test_a_controller(tmp_path: Path) -> None:
    file = tmp_path / "city.yaml"
    file.write_text(yaml.safe_dump(CITY))
    text = unit("controller", file)
    assert values(text, "LoadCredential") == ["metrics:/etc/tenone/credentials/metrics"]
    assert values(text, "ReadWritePaths") == [str(tmp_path)]
    assert values(text, "ProtectClock") == ["yes"]


def test_nothing_of_the_configuration_becomes_a_line(school: Path) -> None:
    for bad in ("a b", "x\nExecStartPre=/bin/sh", "%h", "$(id)", ""):
        with pytest.raises(UnitError, match="cannot stand in a unit"):
            text_of(Unit(description="d", command=["tenone"], user=bad))
    done = CliRunner().invoke(
        build(["service"]), ["service", "unit", "agent", "-c", str(school), "--user", "a b"]
    )
    assert (done.exit_code, "cannot stand in a unit" in done.output) == (1, True)


@pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze on this machine")
@pytest.mark.parametrize(("kind", "most"), [("agent", 1.5), ("controller", 1.3)])
def test_what_systemd_says(tmp_path: Path, school: Path, kind: str, most: float) -> None:
    """``verify`` finds nothing wrong with a line; ``security`` gives the exposure, 0 to 10."""
    config = school
    if kind == "controller":
        config = tmp_path / "city.yaml"
        config.write_text(yaml.safe_dump(CITY))
    file = tmp_path / f"tenone-{kind}.service"
    file.write_text(unit(kind, config))
    verified = subprocess.run(
        [str(ANALYZE), "verify", str(file)], capture_output=True, text=True, check=False
    )
    assert "Unknown key" not in verified.stderr
    assert f"tenone-{kind}.service:" not in verified.stderr, verified.stderr
    said = subprocess.run(
        [str(ANALYZE), "security", "--offline=1", "--no-pager", str(file)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert found is not None, said
    print(f"\nsystemd-analyze security, {kind}: {found[1]}")
    assert float(found[1]) <= most, said


TRACED = r"""
import ctypes, os, sys
libc = ctypes.CDLL(None)
assert libc.prctl(65, 1, 0, 0, 0) == 0, "PR_SET_MDWE"  # what MemoryDenyWriteExecute asks for
os.execvp(sys.argv[1], sys.argv[1:])
"""
BLOCKED_AND_FINE = {"prlimit64", "setpriority", "sched_setaffinity", "mbind"}
"""Asked for by libraries at start, and done without when the answer is EPERM."""
OF_ROOT_ONLY = {"chown", "fchown"}
"""The ledger's and SQLite's, each behind a look whether it is root that runs: as here."""


def members(group: str) -> set[str]:
    """The system calls of one of systemd's groups."""
    shown = subprocess.run(
        [str(ANALYZE), "syscall-filter", group], capture_output=True, text=True, check=True
    ).stdout
    found: set[str] = set()
    for word in (line.strip() for line in shown.splitlines()[1:]):
        if word.startswith("@"):
            found |= members(word)
        elif word and not word.startswith("#"):
            found.add(word)
    return found


def allowed_by(text: str) -> set[str]:
    """What a unit's filters let through; ProtectClock takes away the group of the clock."""
    allowed: set[str] = set()
    for line in values(text, "SystemCallFilter"):
        for word in line.removeprefix("~").split():
            group = members(word) if word.startswith("@") else {word}
            allowed = allowed - group if line.startswith("~") else allowed | group
    return allowed - (members("@clock") if values(text, "ProtectClock") == ["yes"] else set())


@pytest.mark.slow
@pytest.mark.skipif(ANALYZE is None or which("strace") is None, reason="needs systemd, strace")
@pytest.mark.parametrize("kind", ["agent", "controller"])
def test_a_running_service_asks_the_kernel_for_nothing_else(
    tmp_path: Path, school: Path, kind: str
) -> None:
    """Every system call of a real service is in the unit's set, and memory is never made code."""
    plain = {"switches": [], "vault": None, "devices": [{"id": "board/b1"}]}
    school.write_text(yaml.safe_dump(SCHOOL | plain))
    config = school
    if kind == "controller":
        config = tmp_path / "city.yaml"
        places = {"http": {"port": free_port()}, "broker": {"embedded": True, "port": free_port()}}
        config.write_text(yaml.safe_dump(CITY | {"schools": ["school.yaml"]} | places))
    allowed = allowed_by(unit(kind, config))
    log = tmp_path / "calls"
    command = [sys.executable, "-m", "tenone.cli", kind, "-c", str(config), "--ready-json"]
    traced = ["strace", "-f", "-o", str(log), "-e", "signal=none", *command]
    with subprocess.Popen(
        [sys.executable, "-c", TRACED, *traced], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        ready = process.stdout.readline()
        os.killpg(process.pid, 15)
        _, errors = process.communicate(timeout=60)
    assert json.loads(ready or "{}").get("ready"), errors
    called = set(re.findall(r"^\d+ +([a-z0-9_]+)\(", log.read_text(), re.MULTILINE))
    print(f"\n{len(called)} different calls, not in the set: {sorted(called - allowed)}")
    assert len(called) > 40
    assert called - allowed <= BLOCKED_AND_FINE | (OF_ROOT_ONLY if os.geteuid() == 0 else set())
