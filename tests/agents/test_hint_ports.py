"""Real datagrams through both ports to a look."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from agents import hint_ports
from agents.hint_ports import RESOLVE_SECONDS, HintPorts, addresses_of, senders
from agents.hints import AT_ONCE, GAP_SECONDS, SOURCE_BURST, SOURCE_RATE, Hints
from agents.listener import ListenError
from firmware_sims.switch import notify
from firmware_sims.switch.vendors import Vendor
from tenone.cli.processes import free_port
from tenone.config import School, load_school
from tenone.runtime.clock import ManualClock, SystemClock
from tests.agents.conftest import Advance, until


@pytest.fixture
def school(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> School:
    monkeypatch.setenv("TRAP_COMMUNITY", "secret")
    body = {
        "schema_version": 1,
        "school": {"id": "no3", "name": "No. 3", "district": "east", "city": "binhai"},
        "uplink": {"broker": {"host": "127.0.0.1"}},
        "switches": [
            {
                "name": "core",
                "host": "127.0.0.1",
                "also_from": ["10.0.0.7"],
                "snmp": {"community": "env:TRAP_COMMUNITY"},
            }
        ],
        "devices": [
            {"id": "ups/u-1", "host": "10.0.0.9", "snmp": {"community": "env:TRAP_COMMUNITY"}}
        ],
        "traps": {"listen": f"127.0.0.1:{free_port()}", "communities": ["env:TRAP_COMMUNITY"]},
        "syslog": {"listen": f"127.0.0.1:{free_port()}"},
    }
    path = tmp_path / "school.yaml"
    path.write_text(yaml.safe_dump(body))
    return load_school(path)


def test_senders_by_the_name_the_poller_knows(school: School) -> None:
    assert senders(school) == {"core": ("127.0.0.1", "10.0.0.7"), "ups/u-1": ("10.0.0.9",)}


async def test_names_become_addresses() -> None:
    assert await addresses_of("10.0.0.7") == ["10.0.0.7"]
    assert "127.0.0.1" in await addresses_of("localhost")
    assert await addresses_of("no such name.invalid") == []


async def test_a_name_server_that_is_away_takes_nothing_back(
    school: School, monkeypatch: pytest.MonkeyPatch, clock: ManualClock, advance: Advance
) -> None:
    known = {"127.0.0.1": ["10.1.1.1"], "10.0.0.7": ["10.0.0.7"]}

    async def look_up(host: str) -> list[str]:
        return known.get(host, [])

    async def look(switch: str) -> None:
        pass

    monkeypatch.setattr(hint_ports, "addresses_of", look_up)
    hints = Hints(clock=clock, look=look, sources={})
    ports = HintPorts(school, hints, clock=clock)
    assert hints._switches["127.0.0.1"] == ["core"], "a numeric host needs no look-up"
    task = asyncio.create_task(ports.run())
    await advance(2)
    assert hints._switches["10.1.1.1"] == ["core"]
    assert hints._switches["127.0.0.1"] == []
    known.clear()
    await advance(RESOLVE_SECONDS + 2, 10)  # type: ignore[call-arg] # the step
    assert hints._switches["10.1.1.1"] == ["core"]
    known["127.0.0.1"] = ["10.2.2.2"]
    await advance(RESOLVE_SECONDS + 20, 10)  # type: ignore[call-arg] # the step
    assert hints._switches["10.2.2.2"] == ["core"]
    assert hints._switches["10.1.1.1"] == []
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    ports.close()


async def test_a_trap_and_a_log_line_have_the_switch_looked_at(school: School) -> None:
    looked: list[str] = []

    async def look(switch: str) -> None:
        looked.append(switch)

    clock = SystemClock()
    hints = Hints(clock=clock, look=look, sources=dict.fromkeys(senders(school), ()))
    ports = HintPorts(school, hints, clock=clock)
    tasks = [asyncio.create_task(work) for work in (hints.run(), ports.run())]
    assert school.traps is not None
    assert school.syslog is not None
    await until(lambda: hints._switches.get("127.0.0.1"))
    link = notify.LinkEvent(if_index=7, name="GE0/0/7", up=False, uptime_ticks=500)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(notify.trap(link, community="secret", number=1), school.traps.listen)
        await until(lambda: hints.total == 1)
        sender.sendto(notify.trap(link, community="wrong", number=2), school.traps.listen)
        sender.sendto(b"\x30\x82\xff\xff", school.traps.listen)
        await until(lambda: hints.refused == 2)
        line = notify.syslog_line(Vendor.HUAWEI, "core", link)
        sender.sendto(line, school.syslog.listen)
        sender.sendto(b"", school.syslog.listen)
        await until(lambda: hints.total == 2 and hints.refused == 3)
        sender.settimeout(5)
        sender.sendto(
            notify.trap(link, community="secret", number=9, inform=True), school.traps.listen
        )
        answer = await asyncio.to_thread(sender.recv, 2_000)
    assert notify.answered(answer) == 9
    assert set(looked) == {"core"}
    assert hints.reasons == "community=1 malformed=2"
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    with pytest.raises(ListenError):
        HintPorts(school, hints, clock=clock)
    ports.close()
    HintPorts(school, hints, clock=clock).close()


def test_pysnmp_is_loaded_only_for_traps() -> None:
    """What it costs is printed; that it is not there otherwise is asserted."""
    script = """
import json, sys
import agents.service
def pss():
    lines = open("/proc/self/smaps_rollup").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
before, loaded = pss(), "pysnmp" in sys.modules
import drivers.snmp.traps
engine = drivers.snmp.traps.TrapEngine(communities=["c"], users=[], send=print)
print(json.dumps([loaded, before, pss()]))
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    loaded, without, with_traps = json.loads(told.stdout)
    print(f"PSS without traps {without / 1000:.1f} MB, with {with_traps / 1000:.1f} MB")
    assert not loaded
    assert with_traps > without


@pytest.mark.slow
async def test_a_storm_of_real_traps_costs_little(school: School) -> None:
    looked: list[str] = []

    async def look(switch: str) -> None:
        looked.append(switch)

    clock = SystemClock()
    hints = Hints(clock=clock, look=look, sources={"core": ["127.0.0.1"]})
    ports = HintPorts(school, hints, clock=clock)
    tasks = [asyncio.create_task(hints.run())]
    assert school.traps is not None
    link = notify.LinkEvent(if_index=7, name="GE0/0/7", up=False, uptime_ticks=500)
    data = notify.trap(link, community="secret", number=1)
    began_ns, busy = clock.monotonic_ns(), time.process_time()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(10_000):
            sender.sendto(data, school.traps.listen)
            if number % 50 == 0:
                await asyncio.sleep(0.001)
        await until(lambda: hints.total + hints.refused >= 9_900)  # UDP may lose some
    seconds = (clock.monotonic_ns() - began_ns) / 1e9
    print(
        f"10,000 traps in {seconds:.1f} s: {hints.total} read, {hints.refused} not, "
        f"{hints.polls} looks, {time.process_time() - busy:.2f} s of CPU, sending included"
    )
    assert hints.polls <= AT_ONCE + 2 + seconds / GAP_SECONDS
    assert hints.total <= SOURCE_BURST + SOURCE_RATE * seconds + 1
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    ports.close()
