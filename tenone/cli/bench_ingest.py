"""``tenone bench ingest``: city blocks through real connections into the real controller.

Four processes, so that each one's CPU is its own: broker (Mosquitto where it is installed, else
the embedded one), generator (``bench_agents``), controller (ingest, store, state, records; this
module run with ``--serve``), and the measurer. The generator keeps a grid, so the load is as
asked for unless something is too slow; the rates printed are what was stored.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Self

import typer
import yaml

from tenone.cli.bench_agents import COLUMNS, DISTRICT, Load, port_names, school_name
from tenone.cli.bench_machine import cpu_seconds, machine, own_cpu_seconds, version_of
from tenone.cli.processes import free_port

MOSQUITTO = """
listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages 0
persistence false
"""


class BenchError(Exception):
    """Something did not come up or did not answer."""


def ingest(  # noqa: PLR0917 - typer reads options from the signature
    schools: Annotated[int, typer.Option(min=1, max=2700, help="How many schools.")] = 270,
    switches: Annotated[int, typer.Option(min=1, max=32, help="Switches of each school.")] = 4,
    ports: Annotated[int, typer.Option(min=2, max=512, help="Ports of each switch.")] = 48,
    interval: Annotated[float, typer.Option(help="Seconds between sweeps of a switch.")] = 10.0,
    seconds: Annotated[float, typer.Option(help="How long to measure.")] = 30.0,
    warm: Annotated[
        float | None, typer.Option(help="Seconds before measuring; else one interval and 5 s.")
    ] = None,
    seed: Annotated[int, typer.Option(help="What the counters come from.")] = 1,
    broker: Annotated[str, typer.Option(help="mosquitto, embedded or auto.")] = "auto",
) -> None:
    """Blocks of a city through real connections: rates, lag, CPU of each part, bytes stored."""
    with tempfile.TemporaryDirectory(prefix="tenone-bench-") as folder:
        try:
            body = _measure(
                Path(folder),
                Load(
                    port=free_port(),
                    schools=schools,
                    switches=switches,
                    ports=ports,
                    interval_seconds=interval,
                    seconds=seconds,
                    warm_seconds=interval + 5 if warm is None else warm,
                    seed=seed,
                ),
                broker,
            )
        except BenchError as error:
            typer.echo(f"tenone bench ingest: {error}", err=True)
            raise typer.Exit(1) from None
    typer.echo(json.dumps(body))
    if not all(body["checks"].values()):
        raise typer.Exit(1)


def _measure(folder: Path, load: Load, broker: str) -> dict[str, Any]:
    city = _write_city(folder, load)
    with (
        _broker(folder, load.port, broker) as (broker_name, broker_pid),
        _Child(folder, "tenone.cli.bench_ingest", str(city)) as controller,
        _Child(folder, "tenone.cli.bench_agents", json.dumps(asdict(load))) as generator,
    ):
        generator.line()
        time.sleep(load.warm_seconds)
        pids = (controller.pid, broker_pid, generator.pid)
        before = [cpu_seconds(pid) for pid in pids]
        start, started = controller.figures(), time.monotonic()
        time.sleep(load.seconds)
        end, elapsed = controller.figures(), time.monotonic() - started
        spent = [cpu_seconds(pid) - was for pid, was in zip(pids, before, strict=True)]
        made = generator.line()
        memory = _resident_bytes(controller.pid)
        controller.end()
        last = controller.line()
    return _report(
        load=load,
        broker=broker_name,
        start=start,
        end=end,
        elapsed=elapsed,
        spent=spent,
        made=made,
        last=last,
        stored=_stored(folder / "store" / "blocks"),
        memory=memory,
    )


def _report(
    *,
    load: Load,
    broker: str,
    start: dict[str, Any],
    end: dict[str, Any],
    elapsed: float,
    spent: list[float],
    made: dict[str, Any],
    last: dict[str, Any],
    stored: dict[str, int],
    memory: int,
) -> dict[str, Any]:
    blocks = max(end["blocks"] - start["blocks"], 1)
    values = end["samples"] - start["samples"]
    links = load.schools * load.switches * load.ports
    return {
        "bench": "ingest",
        "machine": machine(),
        "versions": {
            "sqlite": sqlite3.sqlite_version,
            "numpy": version_of("numpy"),
            "paho-mqtt": version_of("paho-mqtt"),
            "broker": broker,
        },
        "load": asdict(load) | {"columns": len(COLUMNS), "connections": load.schools},
        "seconds": round(elapsed, 2),
        "offered_blocks_per_second": round(load.schools * load.switches / load.interval_seconds, 1),
        "blocks_per_second": round(blocks / elapsed, 1),
        "values_per_second": round(values / elapsed),
        "lag_p50_seconds": end["lag_p50"],
        "lag_p99_seconds": end["lag_p99"],
        "controller_cpu_us_per_block": round(spent[0] / blocks * 1e6, 1),
        "controller_cores": round(spent[0] / elapsed, 3),
        "controller_resident_bytes": memory,
        "broker_cpu_us_per_block": round(spent[1] / blocks * 1e6, 1),
        "generator_cpu_us_per_block": round(spent[2] / blocks * 1e6, 1),
        "commits_per_second": round((end["commits"] - start["commits"]) / elapsed, 1),
        "changes_recorded": last["changes"],
        "stored_bytes_per_block": round(stored["bytes"] / max(stored["blocks"], 1)),
        "stored_bytes_per_value": round(
            stored["bytes"] / max(stored["blocks"] * load.ports * len(COLUMNS), 1), 3
        ),
        "resent_blocks": made["resent"],
        "connections_lost": last["connections_lost"],
        "checks": {
            "every block stored once": stored["blocks"] == made["blocks"],
            "hashes equal": stored["digest"] == made["digest"],
            "verdicts equal": last["bad_links"] == made["slow_ports"],
            "every link judged": last["good_links"] + last["bad_links"] == links,
        },
    }


def _write_city(folder: Path, load: Load) -> Path:
    names = port_names(load.ports)
    schools = [
        {
            "schema_version": 1,
            "school": {
                "id": school_name(n),
                "name": school_name(n),
                "district": DISTRICT,
                "city": "bench",
            },
            "uplink": {"broker": {"host": "127.0.0.1", "port": load.port}},
            "polling": {"state_seconds": max(load.interval_seconds, 1.0), "timeout_seconds": 0.1},
            "switches": [
                {"name": f"sw{s}", "host": f"127.0.0.{s + 1}", "snmp": {"community": "env:UNUSED"}}
                for s in range(load.switches)
            ],
            "links": [
                {"id": f"l{s}-{row}", "tier": "class", "switch": f"sw{s}", "port": name}
                for s in range(load.switches)
                for row, name in enumerate(names)
            ],
        }
        for n in range(load.schools)
    ]
    (folder / "schools").mkdir()
    for school in schools:
        body: Any = school["school"]
        # JSON is YAML, and a good deal quicker to write.
        (folder / "schools" / f"{body['id']}.yaml").write_text(json.dumps(school))
    city = {
        "schema_version": 1,
        "city": {"id": "bench", "name": "Bench"},
        # What was sent last still counts when the last receipts have been waited for.
        "profiles": {"default": {"stale_after_intervals": 1000}},
        "districts": [{"id": DISTRICT, "name": "East"}],
        "schools": "schools",
        "broker": {"host": "127.0.0.1", "port": load.port},
    }
    path = folder / "city.yaml"
    path.write_text(yaml.safe_dump(city))
    return path


@contextlib.contextmanager
def _broker(folder: Path, port: int, wanted: str) -> Iterator[tuple[str, int]]:
    """A broker on ``port``: its name and version, its process id."""
    found = shutil.which(
        "mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    )
    if wanted == "mosquitto" and found is None:
        raise BenchError("mosquitto is not installed: sudo apt-get install mosquitto")
    if wanted == "embedded" or found is None:
        from drivers.wire.embedded import EmbeddedBroker  # noqa: PLC0415 - only where it is used

        with EmbeddedBroker(port=port) as embedded:
            yield f"embedded (iotcore {version_of('iotcore')})", embedded.pid or 0
        return
    configuration = folder / "mosquitto.conf"
    configuration.write_text(MOSQUITTO.format(port=port))
    with (folder / "mosquitto.log").open("w") as log:
        process = subprocess.Popen([found, "-c", str(configuration)], stdout=log, stderr=log)
    try:
        _wait_for(port)
        yield f"mosquitto {_mosquitto_version(found)}", process.pid
    finally:
        process.terminate()
        process.wait()


def _mosquitto_version(program: str) -> str:
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
    words = said.split()
    return words[2] if len(words) > 2 else "of unknown version"  # noqa: PLR2004 - "mosquitto version N"


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise BenchError("the broker did not start")


class _Child:
    """A process of ours that speaks in JSON lines, the first when it is ready.

    Ended with its context, whatever happens.
    """

    def __init__(self, folder: Path, module: str, argument: str) -> None:
        self._log = folder / f"{module}.log"
        self._command = [sys.executable, "-m", module, argument]

    def __enter__(self) -> Self:
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.line()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def line(self) -> dict[str, Any]:
        """Its next line; raises :class:`BenchError` if it ended instead."""
        text = "" if self._process.stdout is None else self._process.stdout.readline()
        if not text:
            raise BenchError(f"a process ended before its time:\n{self._log.read_text()[-2000:]}")
        body: dict[str, Any] = json.loads(text)
        return body

    def figures(self) -> dict[str, Any]:
        """Ask the controller for its figures now."""
        if self._process.stdin is not None:
            self._process.stdin.write("figures\n")
            self._process.stdin.flush()
        return self.line()

    def end(self) -> None:
        """Ask for an orderly end."""
        self._process.send_signal(signal.SIGTERM)


def _resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _stored(folder: Path) -> dict[str, int]:
    """Count and compare what lies in the files."""
    from controller.store.dayfile import scan  # noqa: PLC0415 - only where it is used
    from controller.store.protocols import StoredBlock  # noqa: PLC0415 - the same

    blocks, digest, size = 0, 0, 0
    for path in folder.glob("*/*.blocks"):
        size += path.stat().st_size
        for found in scan(path, {}):
            if isinstance(found, StoredBlock):
                blocks += 1
                digest ^= int.from_bytes(hashlib.sha256(found.block.hash).digest()[:8], "little")
    return {"blocks": blocks, "digest": digest, "bytes": size}


# -- the controller's process


async def _serve(config: Path) -> None:
    """The controller without its web side; answers each line on stdin with its figures."""
    from controller.service import Controller  # noqa: PLC0415 - only in the controller's process
    from tenone.config import load_city  # noqa: PLC0415 - the same
    from tenone.runtime.clock import SystemClock  # noqa: PLC0415 - the same
    from tenone.vocabulary.scope import ScopePath  # noqa: PLC0415 - the same

    told = 0

    def listen(changes: object) -> None:
        nonlocal told
        told += len(changes) if isinstance(changes, list) else 0

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    async with Controller(load_city(config), clock=SystemClock()) as controller:
        controller.city.listen(listen)
        loop.add_reader(sys.stdin.fileno(), lambda: _answer(controller.ingest.figures))
        while controller.link.trouble:  # noqa: ASYNC110 - a flag, no event
            await asyncio.sleep(0.05)
        print(json.dumps({"ready": True}), flush=True)
        await stop.wait()
        loop.remove_reader(sys.stdin.fileno())
        await asyncio.sleep(1)  # the last blocks are judged
        tallies = controller.city.overview(ScopePath()).tallies
    body = {
        "good_links": sum(tally.good for tally in tallies),
        "bad_links": sum(tally.bad for tally in tallies),
        "changes": told,
        "connections_lost": controller.link.losses,
        "cpu_seconds": own_cpu_seconds(),
    }
    print(json.dumps(body), flush=True)


def _answer(figures: Any) -> None:
    if not sys.stdin.readline():
        return
    lags = sorted(figures.lags)
    body = {
        "blocks": figures.blocks,
        "samples": figures.samples,
        "commits": figures.commits,
        "lag_p50": round(lags[len(lags) // 2], 4) if lags else None,
        "lag_p99": round(lags[min(len(lags) - 1, len(lags) * 99 // 100)], 4) if lags else None,
    }
    figures.lags.clear()
    print(json.dumps(body), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
