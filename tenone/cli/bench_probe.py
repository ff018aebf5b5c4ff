"""``tenone bench probe``: what the probes measure against what a wire says it did.

Two network namespaces, a wire of our own between them (:mod:`tenone.cli.bench_wire`), the product's
own ``tenone reflector`` at one end and ``tenone probe`` at the other; ``ping`` and ``fping`` over
the same wire after them, where they are installed. Needs root: namespaces and taps.
"""

import json
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

import typer

from controller.sla.path import ipdv_ns
from controller.sla.statistics import P95, nearest_rank
from tenone.cli.bench_machine import machine, version_of

NEAR, FAR = "10.213.0.1", "10.213.0.2"
PORT = 8620
CANNOT = 2
_SPACE = ("ip", "netns", "exec")
_PING = re.compile(r"icmp_seq=(\d+) ttl=\d+ time=([\d.]+) ms")
_FPING = re.compile(r": \[(\d+)\], \d+ bytes, ([\d.]+) ms")
"""Three digits are all fping prints: 10.2 ms is 50 us either way."""


class WireError(Exception):
    """The wire cannot be laid here; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imposed:
    """What the wire does to each probe, each way."""

    delay_ms: float
    spread_ms: float
    loss: float
    seed: int


Delays = dict[int, int]
"""Sequence number -> round trip in nanoseconds; a packet without one was lost."""


def probe(
    count: Annotated[int, typer.Option(min=20, max=10_000, help="Packets of each run.")] = 500,
    interval_ms: Annotated[int, typer.Option(min=2, max=1000, help="Between two.")] = 20,
    seed: Annotated[int, typer.Option(help="What delay and loss come from.")] = 1,
) -> None:
    """RTT error, loss and jitter of the probes against a wire that records its own truth."""
    print(json.dumps({"bench": "probe", "machine": machine(), "tenone": version_of("tenone")}))
    runs = (
        Imposed(delay_ms=0, spread_ms=0, loss=0, seed=seed),
        Imposed(delay_ms=5, spread_ms=1, loss=0.02, seed=seed),
        Imposed(delay_ms=20, spread_ms=10, loss=0.05, seed=seed + 1),
    )
    try:
        for imposed in runs:
            for line in measure(imposed, count=count, interval_ms=interval_ms):
                print(json.dumps(line), flush=True)
    except WireError as error:
        typer.echo(f"tenone bench probe: {error}", err=True)
        raise typer.Exit(CANNOT) from None


def measure(imposed: Imposed, *, count: int, interval_ms: int) -> Iterator[dict[str, Any]]:
    """One line a method: ours, ping's and fping's where they are. Raises :class:`WireError`."""
    with ExitStack() as laid:
        try:
            near, far, wire = laid.enter_context(_wire(imposed))
        except (OSError, subprocess.CalledProcessError) as error:
            why = getattr(error, "stderr", "") or str(error)
            raise WireError(f"no wire can be laid (it needs root): {why.strip()}") from error
        laid.enter_context(_reflector(far))
        ours = _tenone(near, count, interval_ms)
        others = {
            "ping": _ping(near, count, interval_ms),
            "fping": _fping(near, count, interval_ms),
        }
        out, _ = wire.communicate()
    record = {(kind, way, number): held for kind, way, number, held in json.loads(out)}
    yield compared("tenone probe", imposed, truth(record, "stamp"), ours)
    ran = {method: found for method, found in others.items() if found is not None}
    yield from (
        compared(method, imposed, truth(record, kind), found)
        for (method, found), kind in zip(ran.items(), _programs(record), strict=True)
    )


def _programs(record: Mapping[tuple[str, int, int], int | None]) -> list[str]:
    """The programs that sent echoes, in the order they ran."""
    return list(dict.fromkeys(kind for kind, _, _ in record if kind.startswith("icmp/")))


def truth(record: Mapping[tuple[str, int, int], int | None], kind: str) -> dict[int, int | None]:
    """What the wire held each probe there and back; None: it dropped it on the one or the other."""
    whole: dict[int, int | None] = {}
    for name, way, number in record:
        if name == kind and way == 0:
            there, back = record[name, 0, number], record.get((name, 1, number))
            whole[number] = None if there is None or back is None else there + back
    return whole


def compared(
    method: str, imposed: Imposed, true: Mapping[int, int | None], found: Delays
) -> dict[str, Any]:
    """How far off the measured delays, the lost packets and the jitter are."""
    whole = {number: held for number, held in true.items() if held is not None}
    lost = sorted(number for number, held in true.items() if held is None)
    errors = sorted(found[number] - whole[number] for number in found if number in whole)
    sizes = [abs(error) for error in errors]
    both = {number: whole[number] for number in found if number in whole}
    true_jitter, jitter = _mean_ipdv(both), _mean_ipdv(found)
    return {
        "bench": "probe",
        "method": method,
        "wire": {
            "delay_ms": imposed.delay_ms,
            "spread_ms": imposed.spread_ms,
            "loss_each_way": imposed.loss,
            "seed": imposed.seed,
        },
        "packets": len(true),
        "lost_true": len(lost),
        "lost_measured": len(true) - len(found),
        "lost_same_packets": lost == sorted(number for number in true if number not in found),
        "rtt_true_median_us": _us(nearest_rank(whole.values(), Fraction(1, 2))),
        "rtt_error_median_us": _us(errors[len(errors) // 2] if errors else None),
        "rtt_error_p95_us": _us(nearest_rank(sizes, P95)),
        "rtt_error_max_us": _us(max(sizes, default=None)),
        "ipdv_mean_true_us": _us(true_jitter),
        "ipdv_mean_us": _us(jitter),
        "ipdv_ratio": round(jitter / true_jitter, 4) if jitter and true_jitter else None,
    }


def _mean_ipdv(delays: Mapping[int, int]) -> float | None:
    steps = [abs(step) for step in ipdv_ns(delays)]
    return sum(steps) / len(steps) if steps else None


def _us(value_ns: float | None) -> float | None:
    return None if value_ns is None else round(value_ns / 1000, 1)


@contextmanager
def _wire(imposed: Imposed) -> Iterator[tuple[str, str, "subprocess.Popen[str]"]]:
    """Two namespaces with the wire between them: their names, and the wire's process."""
    tag = uuid.uuid4().hex[:8]
    near, far = f"t1n{tag}", f"t1f{tag}"
    left, right = f"t1l{tag}", f"t1r{tag}"
    with ExitStack() as undo:
        for name in (near, far):
            _ip("netns", "add", name)
            undo.callback(_ip, "netns", "delete", name)
            _ip("-n", name, "link", "set", "lo", "up")
        wire = subprocess.Popen(
            [
                *(sys.executable, "-m", "tenone.cli.bench_wire", left, right),
                *("--port", str(PORT), "--seed", str(imposed.seed), "--loss", str(imposed.loss)),
                *("--delay-ms", str(imposed.delay_ms), "--spread-ms", str(imposed.spread_ms)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        undo.callback(_end, wire)
        if not (wire.stdout and wire.stdout.readline()):
            raise OSError(wire.communicate()[1].strip().splitlines()[-1])
        for name, device, address in ((near, left, NEAR), (far, right, FAR)):
            _ip("link", "set", device, "netns", name)
            _ip("-n", name, "address", "add", f"{address}/24", "dev", device)
            _ip("-n", name, "link", "set", device, "up")
        yield near, far, wire


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.kill()
    process.communicate()


@contextmanager
def _reflector(space: str) -> Iterator[None]:
    process = subprocess.Popen(
        [*_inside(space), "reflector", "--listen", f"{FAR}:{PORT}", "--ready-json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        if not (process.stdout and process.stdout.readline()):
            raise WireError("tenone reflector did not start at the far end")
        yield
    finally:
        process.terminate()
        process.communicate()


def _tenone(space: str, count: int, interval_ms: int) -> Delays:
    """``tenone probe`` at the near end; its first packet finds the neighbour and is left out."""
    command = [*_inside(space), "probe", f"{FAR}:{PORT}", "--json"]
    subprocess.run([*command, "--count", "1"], check=False, capture_output=True)
    done = subprocess.run(
        [*command, "--count", str(count), "--interval", f"{interval_ms}ms"],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.stderr:
        raise WireError(done.stderr.strip())
    packets = [json.loads(line) for line in done.stdout.splitlines()[:-1]]
    return {
        packet["sequence"]: packet["away_ns"] - packet["held_ns"]
        for packet in packets
        if packet["away_ns"] is not None and packet["held_ns"] is not None
    }


def _ping(space: str, count: int, interval_ms: int) -> Delays | None:
    """Round trips as ping says; None where it is not installed."""
    program = shutil.which("ping")
    if program is None:
        return None
    words = ["-c", str(count), "-W", "3", "-i", str(interval_ms / 1000), FAR]
    done = subprocess.run(
        [*_SPACE, space, program, *words], check=False, capture_output=True, text=True
    )
    return {int(number): round(float(ms) * 1e6) for number, ms in _PING.findall(done.stdout)}


def _fping(space: str, count: int, interval_ms: int) -> Delays | None:
    """Round trips as fping says; None where it is not installed."""
    program = shutil.which("fping")
    if program is None:
        return None
    words = ["-c", str(count), "-t", "3000", "-p", str(interval_ms), FAR]
    done = subprocess.run(
        [*_SPACE, space, program, *words], check=False, capture_output=True, text=True
    )
    return {int(number): round(float(ms) * 1e6) for number, ms in _FPING.findall(done.stdout)}


def _inside(space: str) -> list[str]:
    return [*_SPACE, space, sys.executable, "-m", "tenone.cli"]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)  # noqa: S607 - iproute2, wherever the system has it
