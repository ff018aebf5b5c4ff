"""The room that hears of configurations: keeps the newest word of each switch, makes drift a fact.

Blocks may come twice or late; what is kept is the newest by the agent's own clock. An accepted
configuration is accepted at the school, which alone has the text: this room asks for it.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from controller.agent_port import AskAgent
from controller.api.services import Health
from controller.configurations.model import (
    Configuration,
    NotDoneError,
    folded,
    rules_of,
    rules_text,
)
from controller.configurations.tables import ConfigurationRow
from controller.house import House
from controller.incidents.model import Fact, Kind, Subject
from controller.store.protocols import StoreError
from controller.topology.reading import rows_of
from drivers.wire.commands import CommandState
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, Severity, Verdict

log = logging.getLogger(__name__)

STREAM = "configurations"
ACCEPT_VERB, FETCH_VERB = "AcceptConfiguration", "FetchConfiguration"
"""The agent's verbs: :mod:`agents.configurations`."""
DEADLINE_SECONDS = 60.0
MS_NS = 1_000_000


class ConfigurationsRoom:
    """See :class:`controller.house.Room`."""

    name = "configurations"

    def __init__(self, house: House) -> None:
        self._house = house
        self._engine: Engine = house.records.engine
        self._inbox = house.bus.blocks(STREAM)
        self._known: dict[tuple[str, str], Configuration] = {}
        self._handed: dict[tuple[str, str], bool | None] = {}
        self._unwritten: dict[tuple[str, str], Configuration] = {}
        self._trouble = ""
        self._switches = {(one.school, one.name) for one in house.plan.switches}
        self.agents: AskAgent | None = None

    # -- a room

    def open(self) -> None:
        """See :class:`controller.house.Room`."""
        try:
            with Session(self._engine) as session:
                for row in session.scalars(select(ConfigurationRow)):
                    if (row.school, row.switch) in self._switches:
                        self._known[row.school, row.switch] = _of(row)
        except SQLAlchemyError as error:
            raise StoreError(f"configurations cannot be read: {error}") from error

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """See :class:`controller.house.Room`."""
        return {self.name: self.run}

    def health(self) -> Health:
        """See :class:`controller.house.Room`."""
        drifted = sum(one.drifted is True for one in self._known.values())
        said = f"{len(self._known)} known, {drifted} changed by hand"
        return Health(name=self.name, ready=not self._trouble, sentence=self._trouble or said)

    def close(self) -> None:
        """See :class:`controller.house.Room`."""
        self._write(tuple(self._unwritten.values()))

    async def run(self) -> None:
        """Take in what comes. For a supervisor."""
        while True:
            for arrival in await self._inbox.take():
                for switch, row in rows_of(arrival).items():
                    key = (arrival.school, switch)
                    if key in self._switches:
                        known = self._known.get(key)
                        self._known[key] = now = folded(
                            known,
                            arrival.school,
                            switch,
                            row,
                            received_ms=arrival.received_ns // MS_NS,
                        )
                        if now is not known:
                            self._unwritten[key] = now
            rows, self._unwritten = tuple(self._unwritten.values()), {}
            try:
                await self._house.in_records(self._write, rows)
                self._trouble = ""
            except StoreError as error:
                self._unwritten = {(one.school, one.switch): one for one in rows} | self._unwritten
                self._trouble = str(error)
                log.error("%s", error)  # noqa: TRY400 - the sentence is all there is to say

    # -- what others ask

    def configurations(self, scope: ScopePath) -> Sequence[Configuration]:
        """Of all switches inside ``scope`` that were ever tried."""
        city = self._house.city
        return [
            one
            for _, one in sorted(self._known.items())
            if (place := city.scope_of_school(one.school)) is not None and scope.covers(place)
        ]

    def has(self, school: str, switch: str) -> bool:
        """Whether the school lists this switch."""
        return (school, switch) in self._switches

    def find(self, school: str, switch: str) -> Configuration | None:
        """One switch."""
        return self._known.get((school, switch))

    async def accept(self, school: str, switch: str, seen: str) -> str:
        """What was looked at (its hash) is right; the school's sentence. NotDoneError."""
        return await self._asked(school, ACCEPT_VERB, {"switch": switch, "hash": seen})

    async def fetch(self, school: str, switch: str) -> str:
        """Look at it now; NotDoneError."""
        return await self._asked(school, FETCH_VERB, {"switch": switch})

    def facts(self, now_ns: int) -> Iterable[Fact]:
        """Switches whose drift is not what was handed over last, for incidents."""
        for key, one in self._known.items():
            if self._handed.get(key) == one.drifted:
                continue
            self._handed[key] = one.drifted
            yield _fact(one, now_ns)

    async def _asked(self, school: str, verb: str, arguments: Mapping[str, object]) -> str:
        if self.agents is None:
            raise NotDoneError("This controller has no way to the agents.")
        reply = await self.agents.ask(school, verb, arguments, deadline_seconds=DEADLINE_SECONDS)
        if reply.state is not CommandState.SUCCESSFUL:
            raise NotDoneError(f"{reply.message.rstrip('.')}.")
        return reply.message

    def _write(self, rows: Sequence[Configuration]) -> None:
        if not rows:
            return
        try:
            with Session(self._engine) as session, session.begin():
                for one in rows:
                    session.merge(_row(one))
        except SQLAlchemyError as error:
            raise StoreError(f"configurations cannot be kept: {error}") from error


def _fact(one: Configuration, now_ns: int) -> Fact:
    subject = Subject(one.school, Kind.CONFIGURATION, one.switch)
    if not one.drifted:
        verdict = Verdict.UNKNOWN if one.drifted is None else Verdict.GOOD
        return Fact(subject=subject, at_ns=now_ns, verdict=verdict)
    figures = (("section", one.section[:200]),) if one.section else ()
    return Fact(
        subject=subject,
        at_ns=now_ns,
        verdict=Verdict.BAD,
        cause=Cause.CONFIGURATION,
        severity=Severity.WARNING,
        figures=figures,
    )


def _of(row: ConfigurationRow) -> Configuration:
    return Configuration(
        school=row.school,
        switch=row.switch,
        at_ms=row.at_ms,
        error=row.error,
        fetched_ms=row.fetched_ms,
        hash=row.hash,
        accepted=row.accepted,
        differences=row.differences,
        broken=rules_of(row.broken),
    )


def _row(one: Configuration) -> ConfigurationRow:
    return ConfigurationRow(
        school=one.school,
        switch=one.switch,
        at_ms=one.at_ms,
        error=one.error,
        fetched_ms=one.fetched_ms,
        hash=one.hash,
        accepted=one.accepted,
        differences=one.differences,
        broken=rules_text(one.broken),
    )
