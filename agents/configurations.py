"""Care for the configurations of a school's switches: fetched, kept, compared, held against rules.

Each switch with ``cli`` is fetched once a night, after each change of ours, and when somebody asks
for it. What differs from what was last found right is drift, and told: somebody has set something
by hand. What is told of it has no secrets; the text itself stays at the school.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from agents.commands import Code, CommandFailed
from agents.configuration_history import History, HistoryError, Kept
from agents.origin import Origin
from agents.ports import Keep
from agents.sessions import Sessions
from drivers.cli.care.rules import Broken, broken
from drivers.cli.care.text import (
    Difference,
    NotAConfigurationError,
    as_text,
    differences,
    lines_of,
)
from drivers.cli.dialect import Dialect
from drivers.cli.dialects.registry import dialect as dialect_called
from drivers.cli.errors import BadPortError, CliError
from drivers.cli.hostkeys import HostKeyError
from tenone.blocks.block import Draft
from tenone.blocks.columns import Column, Value
from tenone.blocks.layout import layout
from tenone.calendar.zone import CITY_ZONE, local_date, utc_ns
from tenone.config import School
from tenone.config.compliance import ComplianceRule
from tenone.vocabulary.configurations import CONFIGURATIONS
from tenone.vocabulary.intents import Dialect as DialectName

log = logging.getLogger(__name__)

SUBJECT = "gateway/configurations"
STREAM = "configurations"
FETCH_VERB, ACCEPT_VERB = "FetchConfiguration", "AcceptConfiguration"
MOST_TOLD = 8_192
"""Characters of differences, and of broken rules, that travel; all of it is at the school."""
MOST_PLACES = 20
NIGHT_GAP_SECONDS = 5.0
"""Between two switches of a night, so that nobody's evening is spent at once."""
AGAIN_SECONDS = 3600.0
"""A switch that could not be fetched is asked again this much later, in the same night."""
TRIES = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What was found at one switch; with ``error`` nothing else is known."""

    switch: str
    kept: Kept | None = None
    differences: str = ""
    broken: tuple[Broken, ...] = ()
    error: str = ""

    @property
    def drifted(self) -> bool:
        """It is not what was last found right."""
        return self.kept is not None and self.kept.hash != self.kept.accepted


class Configurations:
    """Give :meth:`run` to a supervisor."""

    def __init__(
        self,
        school: School,
        *,
        sessions: Sessions,
        history: History,
        rules: Iterable[ComplianceRule],
        origin: Origin,
        keep: Keep,
        dialects: Callable[[DialectName], Dialect] = dialect_called,
    ) -> None:
        self._dialect_of: dict[str, DialectName] = {
            one.name: one.cli.dialect for one in school.switches if one.cli is not None
        }
        self._minute = school.care.nightly
        self._sessions = sessions
        self._history = history
        self._rules = tuple(rules)
        self._origin = origin
        self._keep = keep
        self._dialects = dialects
        self._one = asyncio.Lock()

    @property
    def verbs(self) -> Mapping[str, Callable[[Mapping[str, object]], Awaitable[str]]]:
        """For the agent's table of commands."""
        return MappingProxyType({FETCH_VERB: self.fetch_now, ACCEPT_VERB: self.accept})

    async def fetch(self, switch: str, *, why: str, ours: str | None = None) -> Found:
        """Fetch one now, keep it and tell of it; what went wrong is in what is found.

        ``ours``: we have just changed and proved this port, so what differs in its section is
        right; what somebody set elsewhere is drift as before.
        """
        async with self._one:
            found = await self._fetched(switch, why, ours)
            await self._keep([self._draft(found)])
        if found.error:
            log.warning("configuration of %s: %s", switch, found.error)
        elif found.drifted:
            log.warning("configuration of %s differs from the accepted one", switch)
        return found

    async def fetch_now(self, arguments: Mapping[str, object]) -> str:
        """The verb ``FetchConfiguration``: ``{"switch": name}``; raises CommandFailed."""
        found = await self.fetch(self._named(arguments), why="asked for")
        if found.error:
            raise CommandFailed(Code.FAILED, found.error)
        return "differs from the accepted one" if found.drifted else "as accepted"

    async def accept(self, arguments: Mapping[str, object]) -> str:
        """The verb ``AcceptConfiguration``: ``{"switch": name, "hash": the one looked at}``."""
        switch, seen = self._named(arguments), arguments.get("hash")
        if not isinstance(seen, str):
            raise CommandFailed(Code.BAD_ARGUMENTS, "send 'hash', that of what was looked at")
        try:
            await asyncio.to_thread(self._history.accept, switch, seen)
        except HistoryError as error:
            raise CommandFailed(Code.FAILED, str(error)) from error
        await self.fetch(switch, why="accepted")
        return f"the configuration of {switch} is accepted"

    async def run(self) -> None:
        """Once for a switch nothing is known of, then every night."""
        for switch in self._dialect_of:
            if not await asyncio.to_thread(self._versions, switch):
                await self.fetch(switch, why="first")
        while True:
            await self._origin.clock.sleep(self.seconds_to_night())
            await self._night()

    def seconds_to_night(self) -> float:
        """How long until the next time the clock of the city shows the hour; never 0."""
        zone, now_ns = ZoneInfo(CITY_ZONE), self._origin.clock.wall_ns()
        hour = time(self._minute // 60, self._minute % 60)
        day = local_date(now_ns, zone)
        due_ns = utc_ns(day, hour, zone)
        if due_ns <= now_ns:
            due_ns = utc_ns(day + timedelta(days=1), hour, zone)
        return max((due_ns - now_ns) / 1e9, 1.0)

    async def _night(self) -> None:
        left = list(self._dialect_of)
        for _ in range(TRIES):
            failed = []
            for switch in left:
                found = await self.fetch(switch, why="nightly")
                if found.error:
                    failed.append(switch)
                await self._origin.clock.sleep(NIGHT_GAP_SECONDS)
            left = failed
            if not left:
                return
            await self._origin.clock.sleep(AGAIN_SECONDS)

    def _versions(self, switch: str) -> int:
        try:
            return len(self._history.versions(switch))
        except HistoryError:
            return 0  # to fetch it says why

    def _named(self, arguments: Mapping[str, object]) -> str:
        switch = arguments.get("switch")
        if not isinstance(switch, str) or switch not in self._dialect_of:
            known = ", ".join(self._dialect_of) or "none"
            raise CommandFailed(
                Code.BAD_ARGUMENTS, f"name a switch that has a 'cli' in school.yaml: {known}"
            )
        return switch

    async def _fetched(self, switch: str, why: str, ours: str | None) -> Found:
        name = self._dialect_of[switch]
        try:
            async with self._sessions.hold(switch, fresh=not self._sessions.is_kept(switch)) as one:
                answers = await one.run(self._dialects(name).show_configuration())
            lines = lines_of(name, "\n".join(answers))
            at = self._origin.clock.wall_ns() // 10**9
            kept, differing = await asyncio.to_thread(self._keep_it, switch, lines, at, why)
            if differing and ours is not None and self._is_ours(name, ours, differing):
                await asyncio.to_thread(self._history.accept, switch, kept.hash)
                kept, differing = replace(kept, accepted=kept.hash, before=kept.lines), ()
        except (CliError, HostKeyError, HistoryError, NotAConfigurationError) as error:
            return Found(switch, error=str(error))
        rules = broken(self._rules, name, lines, hide=self._history.hidden)
        return Found(switch, kept, as_text(differing), rules)

    def _keep_it(
        self, switch: str, lines: Sequence[str], at: int, why: str
    ) -> tuple[Kept, tuple[Difference, ...]]:
        """For a thread: git, and to compare long texts, take a while."""
        kept = self._history.keep(switch, lines, at=at, why=why)
        return kept, differences(kept.before, kept.lines)

    def _is_ours(self, name: DialectName, port: str, differing: Iterable[Difference]) -> bool:
        """Whether all that differs stands in the section of this port."""
        spoken = self._dialects(name)
        try:
            typed = spoken.check_port(port)
            return all(
                spoken.check_port(one.section.removeprefix("interface ").strip()) == typed
                for one in differing
            )
        except BadPortError:
            return False

    def _draft(self, found: Found) -> Draft:
        kept = found.kept
        values: tuple[Value | None, ...] = (
            self._origin.clock.wall_ns() // 10**6,
            None if kept is None else kept.hash,
            None if kept is None else kept.accepted,
            None if kept is None else found.differences[:MOST_TOLD],
            None if kept is None else broken_json(found.broken),
            found.error,
        )
        columns = [
            Column.of(name, [value]) for name, value in zip(CONFIGURATIONS, values, strict=True)
        ]
        made = layout(STREAM, CONFIGURATIONS, [found.switch])
        return Draft.of(made, self._origin.stamp(SUBJECT), columns)


def broken_json(found: Iterable[Broken]) -> str:
    """Rules that do not hold as they travel; the gravest first, as many as fit."""
    told: list[dict[str, object]] = []
    for one in found:
        rule: dict[str, object] = {
            "rule": one.rule,
            "severity": one.severity.label,
            "en": one.en,
            "zh": one.zh,
            "where": [place[:200] for place in one.where[:MOST_PLACES]],
            "places": len(one.where),
        }
        if len(json.dumps([*told, rule], ensure_ascii=False)) > MOST_TOLD:
            break
        told.append(rule)
    return json.dumps(told, ensure_ascii=False)
