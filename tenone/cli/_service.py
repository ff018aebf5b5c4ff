"""What the services share: signals that ask for an orderly end, systemd's notices."""

import asyncio
import contextlib
import logging
import os
import resource
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

WATCHDOG_SHARE = 3
"""A sign of life this many times in the interval systemd allows."""

log = logging.getLogger(__name__)


def sd_notify(state: str) -> None:
    """Tell systemd, if it asks (``NOTIFY_SOCKET``): ``READY=1``, ``STOPPING=1``, ``STATUS=...``."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # Linux's abstract namespace
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notice:
            notice.sendto(state.encode(), address)
    except OSError as error:
        log.warning("systemd could not be told %r: %s", state, error)


def watchdog_seconds() -> float | None:
    """How often systemd wants a sign of life from this process; None: not at all."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    text = os.environ.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isdigit() and int(text) > 0 else None


@asynccontextmanager
async def stop_signals() -> AsyncIterator[asyncio.Event]:
    """An event that SIGTERM or SIGINT sets; systemd hears of it, and of life until then."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    beating = asyncio.create_task(_beat(), name="systemd watchdog")
    try:
        yield stop
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _beat() -> None:
    interval = watchdog_seconds()
    while interval is not None:
        sd_notify("WATCHDOG=1")
        await asyncio.sleep(interval / WATCHDOG_SHARE)


def run_service(work: Callable[[asyncio.Event], Coroutine[None, None, None]]) -> None:
    """Run ``work(stop)`` to its end; ``work`` itself says :func:`sd_notify` ``READY=1``.

    From here on a crash leaves no core: memory holds secrets.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    async def main() -> None:
        async with stop_signals() as stop:
            await work(stop)

    # A signal before the handlers stand ends the process as Python does by default.
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
