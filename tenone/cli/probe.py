"""``tenone probe``: loss, delay and jitter to a reflector, for a technician and for tests."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Annotated

import typer

from controller.sla.path import jitter, loss_ratio
from drivers.probe.burst import burst
from drivers.probe.sender import Sample, Sender, Session
from tenone.cli._places import place, shared_key, written
from tenone.config.quantities import duration_seconds
from tenone.config.secret import SecretError
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.probes import ProbeOutcome

STAMP_PORT = 862
BAD_CONFIGURATION = 2
ALL_LOST = 1
MOST_A_SECOND = 1000.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("probe")(probe)


def probe(  # noqa: PLR0917 - typer hands options over by name
    target: Annotated[str, typer.Argument(help="HOST or HOST:PORT of a reflector.")],
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many packets.")] = 50,
    interval: Annotated[str, typer.Option(help="Time between two, such as 20ms.")] = "20ms",
    dscp: Annotated[int, typer.Option(min=0, max=63, help="DSCP they are sent with.")] = 0,
    key: Annotated[
        str | None, typer.Option(help="Authenticated mode: env:NAME or file:PATH.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Each packet as one JSON line, then the summary.")
    ] = False,
) -> None:
    """Probe a reflector (RFC 8762) and say what came back. Exit code 1: nothing did."""
    try:
        host, port = place(target, STAMP_PORT)
        seconds = max(duration_seconds(interval), 1 / MOST_A_SECOND)
        secret = None if key is None else shared_key(key)
        samples = asyncio.run(
            _run(host, port, dscp=dscp, key=secret, count=count, a_second=1 / seconds)
        )
    except (OSError, ValueError, SecretError) as error:
        typer.echo(f"tenone probe: {error}", err=True)
        raise typer.Exit(BAD_CONFIGURATION) from None
    found = summary(samples)
    if as_json:
        for sample in samples:
            typer.echo(json.dumps(asdict(sample)))
        typer.echo(json.dumps(found))
    else:
        typer.echo(f"{written(host, port)}: {sentence(found)}")
    if not found["received"]:
        raise typer.Exit(ALL_LOST)


async def _run(
    host: str, port: int, *, dscp: int, key: bytes | None, count: int, a_second: float
) -> list[Sample]:
    loop = asyncio.get_running_loop()
    address = str((await loop.getaddrinfo(host, port))[0][4][0])
    clock = SystemClock()
    sender = Sender(clock=clock)
    try:
        session = Session(host=address, port=port, dscp=dscp, key=key)
        samples = await burst(sender, session, clock=clock, packets=count, a_second=a_second)
    finally:
        sender.close()
    if sender.refusal and all(one.outcome is ProbeOutcome.NOT_SENT for one in samples):
        raise OSError(f"{address} cannot be sent to: {sender.refusal}")
    return samples


def delays_ns(samples: Sequence[Sample]) -> dict[int, int]:
    """SLA.md, definition 7, by sequence number: (T4 - T1) - (T3 - T2)."""
    return {
        one.sequence: one.away_ns - one.held_ns
        for one in samples
        if one.away_ns is not None and one.held_ns is not None
    }


def summary(samples: Sequence[Sample]) -> dict[str, int | float | None]:
    """Counts, and delays in microseconds."""
    sent = [one for one in samples if one.outcome is not ProbeOutcome.NOT_SENT]
    received = sum(one.outcome is ProbeOutcome.ANSWERED for one in sent)
    delays = delays_ns(samples)
    ordered = sorted(delays.values())
    shaking = jitter(delays)
    ratio = loss_ratio(len(sent), received)
    return {
        "sent": len(sent),
        "received": received,
        "lost": len(sent) - received,
        "loss_ratio": None if ratio is None else float(Fraction(ratio)),
        "duplicates": sum(one.duplicates for one in samples),
        "delay_min_us": _us(ordered[0] if ordered else None),
        "delay_median_us": _us(ordered[len(ordered) // 2] if ordered else None),
        "delay_max_us": _us(ordered[-1] if ordered else None),
        "ipdv_p95_us": _us(shaking.ipdv_p95_ns),
        "pdv_us": _us(shaking.pdv_ns),
    }


def sentence(found: dict[str, int | float | None]) -> str:
    """The summary for a person."""
    text = f"{found['sent']} sent, {found['lost']} lost"
    if found["delay_min_us"] is None:
        return text
    return (
        f"{text}; round trip {found['delay_min_us']} / {found['delay_median_us']} / "
        f"{found['delay_max_us']} us (least, median, most); jitter {found['ipdv_p95_us']} us (P95)"
    )


def _us(value_ns: int | None) -> float | None:
    return None if value_ns is None else value_ns / 1000
