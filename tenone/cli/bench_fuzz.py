"""``tenone bench poll --fuzz``: mutated answers through the living client.

An agent in the same process answers truly, and then each answer is spoilt: bits flipped,
octets overwritten, cut, added, repeated, an error put in. Readers walk tables and sweep ports
through it all. Counted are: walks that did not end by themselves; reads that came back empty
and without an error although no answer said that there is nothing; exceptions that are not of
the reader's own tree, from the reader or out of the event loop. By SNMPv3 also: reads without
an error that are not the truth (v2c has nothing to tell a changed value by).
"""

import asyncio
import contextlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from drivers.snmp import mib
from drivers.snmp.ber import Oid
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import BudgetExceeded, SnmpError
from drivers.snmp.message import VarBind
from drivers.snmp.session import Session
from drivers.snmp.switch import SwitchReader
from drivers.snmp.target import Target
from firmware_sims.switch import ber, message
from firmware_sims.switch.agent import Agent
from firmware_sims.switch.message import ErrorStatus
from firmware_sims.switch.misbehave import plain
from firmware_sims.switch.replay import Recording, parse_line
from firmware_sims.switch.secured import secured
from firmware_sims.switch.server import Endpoint, Fleet, Sending
from firmware_sims.switch.usm import Engine, V3User
from tenone.blocks.columns import Column
from tenone.cli.bench_switches import (
    COLUMNS,
    PORTS,
    V3_AUTH,
    V3_PASSWORD,
    V3_PRIV,
    V3_USER,
    Kind,
    expected,
    recording,
    target,
    value,
)
from tenone.runtime.clock import SystemClock
from tenone.vocabulary.states import Duplex

Json = dict[str, Any]
AGENTS = 64
SPOILT_RATIO = 0.8
"""So many answers are spoilt; the rest lets walks get somewhere."""
WALK_SECONDS, WALK_REQUESTS = 5.0, 2_000
TIMEOUT_SECONDS = 0.03
ROOTS: tuple[Oid, ...] = (mib.IF_DESCR, mib.IF_OPER_STATUS, mib.IF_HC_IN_OCTETS, mib.IF_NAME)


@dataclass(slots=True)
class Finds:
    """What came of it."""

    mutated: int = 0
    walks: int = 0
    sweeps: int = 0
    failed: int = 0
    endless: int = 0
    silent_empties: int = 0
    untrue: int = 0
    escaped: int = 0
    examples: list[str] = field(default_factory=list)

    def escape(self, error: object) -> None:
        """Count what should not have come out."""
        self.escaped += 1
        if len(self.examples) < 5:  # noqa: PLR2004 - enough to look for the cause
            self.examples.append(repr(error)[:200])


class Liar:
    """An agent whose answers are spoilt on their way; remembers what it sent."""

    def __init__(self, lines: str, seed: int, finds: Finds, *, v3: bool) -> None:
        variables = [parse_line(line.encode()) for line in lines.splitlines()]
        agent = Agent(Recording(variables))
        user = f"{V3_USER}:{V3_AUTH}:{V3_PASSWORD}:{V3_PRIV}:{V3_PASSWORD}"
        users = [V3User.parse(user)] if v3 else []
        engine = Engine(users, name=f"liar-{seed}", clock=SystemClock(), seed=seed)
        self._answer = secured(agent, engine, plain(agent))
        self._chance = random.Random(seed)
        self.finds = finds
        self.v3 = v3
        self.honest = True
        """So that the readers learn what there is before they are lied to."""
        self.sent: list[bytes] = []
        """Since it was last emptied."""

    def answer(self, datagram: bytes) -> Sequence[Sending]:
        """See :data:`firmware_sims.switch.server.Answer`."""
        replies = [sending.data for sending in self._answer(datagram)]
        if not self.honest and self._chance.random() < SPOILT_RATIO:
            replies = [spoilt(reply, self._chance, v3=self.v3) for reply in replies]
            self.finds.mutated += len(replies)
        self.sent += replies
        return [Sending(reply) for reply in replies]


def spoilt(reply: bytes, chance: random.Random, *, v3: bool) -> bytes:
    """One mutation of an answer."""
    data = bytearray(reply)
    place = chance.randrange(len(data))
    match chance.randrange(8):
        case 0 | 1:
            for _ in range(chance.randint(1, 3)):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        case 2:
            for _ in range(chance.randint(1, 8)):
                data[chance.randrange(len(data))] = chance.randrange(256)
        case 3:
            del data[place:]
        case 4:
            data += chance.randbytes(chance.randint(1, 20))
        case 5:
            data[place:place] = data[place : place + chance.randint(1, 40)]
        case 6:
            end = min(len(data), place + chance.randint(1, 40))
            data[place:end] = bytes(end - place)
        case _ if v3:  # whose inside is not ours to change
            data[place] ^= 0x80
        case _:
            asked = message.parse(reply)
            status = chance.choice((*ErrorStatus, 19, 127))
            index = chance.choice((0, 1, 5, 2**31 - 1))
            body = chance.choice((b"", asked.varbinds))
            return message.response(asked, body, status=status, index=index)
    return bytes(data)


def says_nothing(sent: Sequence[bytes], root: Oid) -> bool:
    """Whether some answer, by the simulator's own reader, says that ``root`` has (no more) rows.

    That is: noSuchName, the end of the view, or as its first name one outside ``root``.
    """
    prefix = ber.sort_key(root)
    for datagram in sent:
        try:
            reply = message.parse(datagram)
            if reply.first == ErrorStatus.NO_SUCH_NAME:
                return True
            names = message.names(reply.varbinds)
            if names and not names[0].key.startswith(prefix):
                return True
            tags = [ber.value_tag(one) for one in _split(reply.varbinds)]
        except (ber.BerError, IndexError):
            continue
        if ber.END_OF_MIB_VIEW in tags:
            return True
    return False


def _split(varbinds: bytes) -> list[bytes]:
    parts, at = [], 0
    while at < len(varbinds):
        _, _, stop = ber.header(varbinds, at, len(varbinds))
        parts.append(varbinds[at:stop])
        at = stop
    return parts


def passed(line: Json) -> bool:
    """Whether nothing happened that must not."""
    bad = ("endless_walks", "silent_empties", "untrue_reads", "escaped_exceptions")
    return not any(line[name] for name in bad)


async def run(wanted: int, *, v3: bool = False) -> Json:
    """Go on until ``wanted`` mutated answers have been sent."""
    finds = Finds()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: finds.escape(context))
    lines, kind = recording(), Kind(v3=v3)
    liars = [Liar(lines, seed, finds, v3=v3) for seed in range(AGENTS)]
    endpoints = [Endpoint(liar.answer, "127.0.0.1", 0) for liar in liars]
    async with Fleet(endpoints), SnmpClient(clock=SystemClock()) as client:
        began = loop.time()
        await asyncio.gather(
            *(
                _read(client, liar, target(endpoint.port, kind, timeout=TIMEOUT_SECONDS), wanted)
                for liar, endpoint in zip(liars, endpoints, strict=True)
            )
        )
        took = loop.time() - began
        counts = client.counts
    return {
        "client": "tenone",
        "test": f"mutated answers by SNMP{'v3' if v3 else 'v2c'}",
        "mutated_answers": finds.mutated,
        "seconds": round(took, 1),
        "walks": finds.walks,
        "sweeps": finds.sweeps,
        "reads_with_an_error": finds.failed,
        "endless_walks": finds.endless,
        "silent_empties": finds.silent_empties,
        "untrue_reads": finds.untrue,
        "escaped_exceptions": finds.escaped,
        "examples": finds.examples,
        "answers_refused": {
            "malformed": counts.malformed,
            "stray": counts.stray,
            "late_or_duplicate": counts.late_or_duplicate,
            "wrong_community": counts.wrong_community,
            "distrusted": counts.distrusted,
        },
    }


async def _read(client: SnmpClient, liar: Liar, target: Target, wanted: int) -> None:
    finds = liar.finds
    session = Session(client, await client.device(target))
    reader = SwitchReader(client, target, sweep_seconds=2.0, inventory_seconds=2.0)
    with contextlib.suppress(SnmpError):  # a busy machine may be late even when all is true
        await reader.state()
        await reader.counters()
    turn = 0
    while finds.mutated < wanted:
        turn += 1
        liar.sent.clear()
        liar.honest = False
        try:
            if turn % 4:
                await _walk(session, ROOTS[turn % len(ROOTS)], liar)
            else:
                await _sweep(reader, liar)
        except SnmpError:
            finds.failed += 1
        except Exception as error:  # noqa: BLE001 - what escapes is what is counted here
            finds.escape(error)


async def _walk(session: Session, root: Oid, liar: Liar) -> None:
    budget, finds = session.client.budget(WALK_SECONDS, WALK_REQUESTS), liar.finds
    finds.walks += 1
    try:
        async with asyncio.timeout(2 * WALK_SECONDS):
            walk = await session.walk(root, budget)
    except TimeoutError:
        finds.endless += 1
        return
    rows = [int(bind.name[-1]) for bind in walk.varbinds]
    if isinstance(walk.error, BudgetExceeded):
        finds.endless += 1
    elif walk.error is not None:
        finds.failed += 1
    elif liar.v3:
        finds.untrue += rows != list(range(1, PORTS + 1)) or not _true(walk.varbinds)
    elif not rows and not says_nothing(liar.sent, root):
        finds.silent_empties += 1


def _true(varbinds: Sequence[VarBind]) -> bool:
    """Whether every value is the switch's own."""
    return all(_TRUTH.get(bind.name, bind.value) == bind.value for bind in varbinds)


_TRUTH = {
    (*column, port): value(name, port)
    for name, column, _ in COLUMNS
    for port in range(1, PORTS + 1)
}


async def _sweep(reader: SwitchReader, liar: Liar) -> None:
    finds = liar.finds
    finds.sweeps += 1
    for sweep in (await reader.state(), await reader.counters()):
        told = any(any(column.validity) for column in sweep.columns)
        if sweep.errors:
            finds.failed += 1
        elif not told and sweep.rows:
            finds.silent_empties += 1
        if liar.v3:
            finds.untrue += not all(_told(column, sweep.rows) for column in sweep.columns)


def _told(column: Column, rows: Sequence[str]) -> bool:
    """Whether what a column tells is the truth; a duplex that did not come is unknown(1).

    A walk that was cut short knows fewer ports than there are, each by its number at the end.
    """
    name = column.metric.name
    silent = {None, int(Duplex.UNKNOWN)} if name == "duplex" else {None}
    true = _EXPECTED.get(name)
    if true is None:
        return True
    ports = [int(_NUMBER.findall(row)[-1]) for row in rows]
    return all(
        told in silent or told == true[port - 1] for told, port in zip(column, ports, strict=True)
    )


_NUMBER = re.compile(r"\d+")
_EXPECTED = expected()
