"""Recorded devices answered by PyPI's snmpsim: an agent that is not ours."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import SnmpError
from drivers.snmp.session import Session
from drivers.snmp.target import Target
from tenone.cli.processes import free_udp_port
from tenone.cli.snmp import read
from tenone.cli.snmp_view import as_json
from tenone.runtime.clock import SystemClock
from tests.snmp.oracle import captures, compare, devices
from tests.snmp.test_recorded import findings_by_index

DEVICES = ("vrp_5720", "zxr10_5950", "fortigate_100e", "comware_a5500", "ruijie")
pytestmark = pytest.mark.skipif(
    not devices(), reason=f"no recorded devices in {captures()}: set TENONE_CAPTURES"
)


@pytest.fixture
async def responder(tmp_path: Path) -> AsyncIterator[int]:
    """snmpsim's port; the community is the name of the recording."""
    program = Path(sys.executable).with_name("snmpsim-command-responder")
    if not program.exists():
        pytest.skip("snmpsim is not installed in this environment")
    data = tmp_path / "data"
    data.mkdir()
    for name in DEVICES:
        shutil.copy(captures() / f"{name}.snmprec", data)
    port = free_udp_port()
    # It wants to be told as whom to run; another user may not be able to read this Python.
    as_root = ["--process-user=root", "--process-group=root"] if os.geteuid() == 0 else []
    cache = tmp_path / "cache"
    cache.mkdir()
    process = await asyncio.create_subprocess_exec(
        program,
        *as_root,
        f"--data-dir={data}",
        f"--cache-dir={cache}",
        f"--agent-udpv4-endpoint=127.0.0.1:{port}",
        "--logging-method=stderr",
        "--log-level=error",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    try:
        await until_it_answers(process, port)
        yield port
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until_it_answers(process: asyncio.subprocess.Process, port: int) -> None:
    async with SnmpClient(clock=SystemClock()) as client:
        target = Target(
            host="127.0.0.1", port=port, community=DEVICES[0], timeout_seconds=0.5, retries=0
        )
        session = Session(client, await client.device(target))
        for _ in range(120):
            if process.returncode is not None:
                assert process.stderr is not None
                pytest.fail((await process.stderr.read()).decode()[-2000:])
            try:
                await session.get([(1, 3, 6, 1, 2, 1, 1, 1, 0)])
            except SnmpError:
                continue
            return
    pytest.fail("snmpsim did not begin to answer within 60 s")


@pytest.mark.slow
async def test_recorded_devices_behind_snmpsim(responder: int) -> None:
    for name in DEVICES:
        target = Target(
            host="127.0.0.1", port=responder, community=name, timeout_seconds=10, retries=1
        )
        snapshot = await read(target)
        tally = compare(name, as_json(snapshot), findings_by_index(snapshot))
        print(tally.line(name))
        assert tally.wrong == []
        assert tally.equal > 100
        for sweep in (snapshot.inventory, snapshot.state, snapshot.counters):
            assert sweep.errors == ()
