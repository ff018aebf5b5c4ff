"""``tenone reflector``: answers probes at the city's core, or anywhere else that should answer."""

import asyncio
import json
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated

import typer

from drivers.probe.reflector import STAMP_PORT, Network, Reflector
from tenone.cli._logs import start_log
from tenone.cli._places import network, place, shared_key, written
from tenone.cli._service import run_service, sd_notify
from tenone.config.secret import SecretError

log = logging.getLogger(__name__)

BAD_CONFIGURATION = 2
CANNOT_START = 1
EVERYWHERE = (f"0.0.0.0:{STAMP_PORT}", f"[::]:{STAMP_PORT}")
TELL_SECONDS = 300.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reflector")(reflector)


def reflector(  # noqa: PLR0917 - typer hands options over by name
    listen: Annotated[
        list[str] | None,
        typer.Option(help=f"HOST:PORT, may be given again; unsaid: {' and '.join(EVERYWHERE)}."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(help="A network that is answered, may be given again; unsaid: everybody."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="Authenticated mode: where the key is, env:NAME or file:PATH."),
    ] = None,
    stateful: Annotated[
        bool, typer.Option("--stateful", help="Number the replies of each session.")
    ] = False,
    ready_json: Annotated[
        bool, typer.Option("--ready-json", help="Say that it is ready as one JSON line.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details.")] = False,
) -> None:
    """Answer STAMP and TWAMP-light test packets (RFC 8762). Never with more than was asked."""
    start_log(verbose=verbose)
    try:
        places = [place(text, STAMP_PORT) for text in listen or EVERYWHERE]
        networks = [network(text) for text in allow or ()]
        secret = None if key is None else shared_key(key)
    except (ValueError, SecretError) as error:
        typer.echo(f"tenone reflector: {error}", err=True)
        raise typer.Exit(BAD_CONFIGURATION) from None
    try:
        run_service(
            lambda stop: _serve(stop, places, networks, secret, stateful, ready_json=ready_json)
        )
    except _CannotListenError as error:
        typer.echo(f"tenone reflector: {error}", err=True)
        raise typer.Exit(CANNOT_START) from None


class _CannotListenError(Exception):
    """An address that cannot be had."""


async def _serve(
    stop: asyncio.Event,
    places: Sequence[tuple[str, int]],
    networks: Sequence[Network],
    key: bytes | None,
    stateful: bool,
    *,
    ready_json: bool,
) -> None:
    with ExitStack() as closing:
        made = []
        for host, port in places:
            try:
                one = Reflector(host, port, key=key, stateful=stateful, networks=networks)
            except OSError as error:
                raise _CannotListenError(
                    f"{written(host, port)} cannot be listened on: {error.strerror or error}"
                ) from error
            closing.callback(one.close)
            made.append(one)
        listening = [written(one.host, one.port) for one in made]
        sd_notify("READY=1")
        if ready_json:
            typer.echo(json.dumps({"ready": True, "listening": listening}))
        log.info("answering at %s", ", ".join(listening))
        telling = asyncio.create_task(_tell(made))
        await stop.wait()
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        sd_notify("STOPPING=1")
        _say(made)


async def _tell(made: Sequence[Reflector]) -> None:
    while True:
        await asyncio.sleep(TELL_SECONDS)
        _say(made)


def _say(made: Sequence[Reflector]) -> None:
    for one in made:
        refused = ", ".join(f"{count} by {why}" for why, count in one.counts.refused.items())
        log.info(
            "%s: %d answered; not answered: %s",
            written(one.host, one.port),
            one.counts.reflected,
            refused or "none",
        )
