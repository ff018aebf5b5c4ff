"""``tenone sim`` as a process: what a parent sees of it."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tenone.cli.processes import free_port, free_udp_port

UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)


class Sim:
    """A running simulator."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            line = await self.process.stdout.readline()
        read: dict[str, Any] = json.loads(line)
        return read

    async def ask(self, command: object) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        await self.process.stdin.drain()
        return await self.line()

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        async with asyncio.timeout(10):
            return await self.process.wait()


Start = Callable[..., AbstractAsyncContextManager[Sim]]


@pytest.fixture
def start() -> Start:
    @asynccontextmanager
    async def started(*argv: str) -> AsyncIterator[Sim]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tenone.cli", "sim", *argv,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            yield Sim(process)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            for pipe in (process.stdin,):
                assert pipe is not None
                pipe.close()

    return started


async def exchange(port: int, request: bytes, host: str = "127.0.0.1") -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0)
        await loop.sock_sendto(client, request, (host, port))
        async with asyncio.timeout(10):
            return (await loop.sock_recvfrom(client, 65_535))[0]


async def test_a_fleet_says_where_it_is_obeys_and_ends(start: Start, v2c: Any) -> None:
    async with start("switch", "--ready-json", "--count", "8", "--vendor", "mixed") as sim:
        ready = await sim.line()
        switches = ready["switches"]
        assert ready["ready"] is True
        assert [s["name"] for s in switches] == [f"sw{n}" for n in range(1, 9)]
        assert [s["vendor"] for s in switches][:4] == ["huawei", "h3c", "ruijie", "zte"]
        for switch in switches:
            reply = await exchange(switch["port"], v2c.request("Get", [UPTIME]))
            assert v2c.reply(reply)[0] == 0
        port = switches[2]["ports"][0]
        assert await sim.ask({"switch": "sw3", "port": port, "set": {"speed_mbps": 100}}) == {
            "ok": True
        }
        high_speed = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15, 1)
        reply = await exchange(switches[2]["port"], v2c.request("Get", [high_speed]))
        assert int(v2c.reply(reply)[2][0][2]) == 100
        refused = await sim.ask({"switch": "sw3", "port": "nowhere", "set": {}})
        assert refused["ok"] is False
        assert "no port 'nowhere'" in refused["error"]
        assert await sim.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_outlives_its_input_and_ends_at_a_signal(
    start: Start, number: signal.Signals, v2c: Any
) -> None:
    async with start("switch", "--ready-json") as sim:
        (switch,) = (await sim.line())["switches"]
        assert sim.process.stdin is not None
        sim.process.stdin.close()
        assert await exchange(switch["port"], v2c.request("Get", [UPTIME]))
        assert await sim.end(number) == 0


async def test_spread_gives_an_address_each(start: Start, v2c: Any) -> None:
    port = free_udp_port("127.1.0.1")
    async with start(
        "switch", "--ready-json", "--spread", "--host", "127.1.0.1", "--port", str(port),
        "--count", "3",
    ) as sim:  # fmt: skip
        switches = (await sim.line())["switches"]
        assert [(s["host"], s["port"]) for s in switches] == [
            (f"127.1.0.{n}", port) for n in (1, 2, 3)
        ]
        assert await exchange(port, v2c.request("Get", [UPTIME]), "127.1.0.3")


async def test_a_recording_and_its_answers(start: Start, recordings: list[Path], v2c: Any) -> None:
    path = next(path for path in recordings if path.stem == "ruijie")
    async with start("switch", "--ready-json", "--replay", str(path)) as sim:
        (switch,) = (await sim.line())["switches"]
        assert (switch["name"], switch["ports"][0]) == ("ruijie", "Te0/1")
        reply = await exchange(switch["port"], v2c.request("Get", [UPTIME]))
        assert int(v2c.reply(reply)[2][0][2]) == 3705225462


async def test_answers_are_in_the_file_when_the_reply_is_here(
    start: Start, tmp_path: Path, v2c: Any
) -> None:
    log = tmp_path / "answers.jsonl"
    async with start("switch", "--ready-json", "--answers", str(log)) as sim:
        (switch,) = (await sim.line())["switches"]
        first_octets = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6)
        for number in (1, 2, 3):
            reply = await exchange(switch["port"], v2c.request("GetBulk", [first_octets]))
            assert int(v2c.reply(reply)[2][0][2]) == number
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            assert [line["answer"] for line in lines] == list(range(1, number + 1))


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["--vendor", "juniper"], "no vendor is called 'juniper': use one of huawei"),
        (["--console", "linux"], "no simulated switch speaks 'linux': use vendor, or one of"),
        (["--misbehave", "lazy"], "no misbehaviour is called 'lazy'"),
        (["--v3-user", "bob:sha256"], "is no SNMPv3 user: write NAME"),
        (["--replay", "/nonexistent.snmprec"], "/nonexistent.snmprec"),
        (["--fleet", "/nonexistent.json"], "/nonexistent.json"),
        (["--port", "65535", "--count", "2"], "over 65535"),
    ],
)
async def test_bad_options_end_with_one_sentence(run: Any, argv: list[str], complaint: str) -> None:
    code, out, err = await run(sys.executable, "-m", "tenone.cli", "sim", "switch", *argv)
    assert (code, out) == (2, b"")
    assert complaint in err.decode()
    assert err.decode().count("\n") == 1


async def test_boards_as_a_process(start: Start) -> None:
    port = free_port()
    # Nothing listens there: the boards are ready all the same, and try again by themselves.
    async with start(
        "board",
        "--broker",
        f"127.0.0.1:{port}",
        "--serials",
        "b-1,b-2",
        "--interval",
        "10s",
        "--ready-json",
    ) as sim:
        ready = await sim.line()
        assert ready == {
            "ready": True,
            "boards": [
                {"serial": "b-1", "broker": f"127.0.0.1:{port}"},
                {"serial": "b-2", "broker": f"127.0.0.1:{port}"},
            ],
        }
        assert await sim.ask({"board": "b-2", "set": {"offline": True}}) == {"ok": True}
        assert (await sim.ask({"board": "b-3", "set": {}}))["ok"] is False
        assert await sim.end() == 0


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        ([], "say which broker"),
        (["--broker", "nowhere"], "write HOST:PORT"),
        (["--broker", "h:1", "--serials", "A B"], "not a valid identifier"),
        (["--broker", "h:1", "--mqtt", "4"], "use 5 or 3.1.1"),
        (["--broker", "h:1", "--interval", "0"], "outside 0.1 to 3600 seconds"),
        (["--broker", "h:1", "--interval", "soon"], "'soon' is no interval"),
        (["--fleet", "/nonexistent.json"], "/nonexistent.json"),
    ],
)
async def test_bad_board_options_end_with_one_sentence(
    run: Any, argv: list[str], complaint: str
) -> None:
    code, out, err = await run(sys.executable, "-m", "tenone.cli", "sim", "board", *argv)
    assert (code, out) == (2, b"")
    assert complaint in err.decode()
    assert err.decode().count("\n") == 1


async def test_a_fleet_with_consoles_says_how_to_log_in(start: Start) -> None:
    async with start("switch", "--ready-json", "--count", "2", "--vendor", "h3c",
                     "--console", "vendor", "--console-user", "ann") as sim:  # fmt: skip
        one, two = [switch["console"] for switch in (await sim.line())["switches"]]
        assert one["dialect"] == "comware"
        assert one["port"] != two["port"]
        async with asyncssh.connect(
            one["host"], one["port"], username="ann", password=one["password"],
            known_hosts=asyncssh.import_known_hosts(one["host_key"]),
            config=None, client_keys=None, agent_path=None,
        ) as connection:  # fmt: skip
            process = await connection.create_process(term_type="vt100")
            async with asyncio.timeout(20):
                assert "<sw1>" in await process.stdout.readuntil(">")
            command = {"switch": "sw1", "console": {"cut": True}}
            assert await sim.ask(command) == {"ok": True}
            async with asyncio.timeout(20):
                await connection.wait_closed()
        assert await sim.end() == 0
