"""Writes to a ledger until it is killed: ``python -m tests.integration.ledger_writer LEDGER ACKS``.

What was acknowledged is appended to ACKS, which lies on a disk that survives.
"""

import asyncio
import itertools
import os
import sys
from pathlib import Path

from controller.trust.book import Book
from controller.trust.entries import Entry
from controller.trust.ledger import AuditLedger
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor

WRITERS = 16


async def write_for_ever(folder: Path, acks: int) -> None:
    clock = SystemClock()
    ledger = AuditLedger(Book(folder, city="city", boot="b", segment_rows=2000), clock)
    await ledger.open()
    numbers = itertools.count()
    run = os.getpid()

    async def write() -> None:
        for number in numbers:
            name = f"{run}-{number}"
            await ledger.write(Entry(act="test.write", actor="system", subject=name))
            os.write(acks, f"{name}\n".encode())

    async with Supervisor(clock) as tasks:
        tasks.start("ledger", ledger.run)
        await asyncio.gather(*(write() for _ in range(WRITERS)))


if __name__ == "__main__":
    opened = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    asyncio.run(write_for_ever(Path(sys.argv[1]), opened))
