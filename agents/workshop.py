"""What the agent plans at a switch, and what it hands on to be done.

A plan is made here and now: the port is one that the switch itself reports, its settings are read
at the command line, the dialect renders the lines, and the lines are read back by another way and
compared with what was meant. The same drawing is made twice: when somebody asks for a plan, and
when the approval of it arrives; only if lines and facts are the same does anything begin.
"""

import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

from agents.commands import Code, CommandFailed
from agents.indicator import DOWN
from agents.pending import Pending, PendingBook
from agents.pending_json import settings_json
from agents.port_look import Eyes, Look, LookError
from agents.repair_guards import (
    check_allowed,
    check_automatic,
    check_free,
    check_parameters,
    check_port,
    check_typed,
    intent_of,
    link_at,
    number_of,
    refused,
    switch_of,
)
from agents.sessions import Sessions
from drivers.cli.care.masks import hidden, mask
from drivers.cli.console import Console
from drivers.cli.dialect import Change, Dialect, Line, PortSettings
from drivers.cli.dialects.registry import dialect as dialect_called
from drivers.cli.errors import CannotError, CliError, SessionLostError, SetSoAlreadyError
from drivers.cli.hostkeys import HostKeyError
from drivers.cli.plans import plan
from tenone.config import School
from tenone.runtime.clock import Clock
from tenone.trust.approval import MOST_LINES, Approval, Refusal, Refused
from tenone.vocabulary.intents import MEANINGS, Indicator, Intent
from tenone.vocabulary.intents import Dialect as DialectName
from tenone.vocabulary.states import ClockQuality

log = logging.getLogger(__name__)

PLAN_VERB = "Plan"
HOLD_SECONDS = 5.0
LEAST_HOLD_SECONDS = 1.0
MOST_HOLD_SECONDS = 60.0


class Doer(Protocol):
    """Who does what is planned (:mod:`agents.repairs`)."""

    async def execute(self, pending: Pending, /) -> str:
        """Begin, and wait for the end; a sentence. Raises :class:`CommandFailed`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One plan, with everything that was read for it."""

    change: Change
    measure: tuple[Line, ...]
    """The cable test, where it may follow a change that does not help."""
    facts: Mapping[str, str]
    look: Look

    @property
    def lines(self) -> tuple[str, ...]:
        """What people approve."""
        return (*self.change.lines, *(f"if it does not help: {one.text}" for one in self.measure))


class RepairShop:
    """The :class:`agents.approvals.Workshop` of one school, and the verb ``Plan``."""

    def __init__(
        self,
        school: School,
        *,
        sessions: Sessions,
        eyes: Eyes,
        book: PendingBook,
        doer: Doer,
        clock: Clock,
        quality: Callable[[], ClockQuality],
        dialects: Callable[[DialectName], Dialect] = dialect_called,
    ) -> None:
        self._school = school
        self._sessions = sessions
        self._eyes = eyes
        self._book = book
        self._dialects = dialects
        self._doer = doer
        self._clock = clock
        self._quality = quality
        self._key = secrets.token_bytes(32)
        """Names secrets of a port's section in the facts: that one changed shows, not which."""
        self._drawn: tuple[str, Drawing] | None = None
        """(action, drawing) of the approval that is being checked."""

    @property
    def verbs(self) -> Mapping[str, Callable[[Mapping[str, object]], Awaitable[str]]]:
        """For the agent's table of commands."""
        return MappingProxyType({PLAN_VERB: self.plan})

    async def plan(self, arguments: Mapping[str, object]) -> str:
        """``{"intent": text, "parameters": {text: text}}``: what would be done, as JSON."""
        intent, parameters = arguments.get("intent"), arguments.get("parameters")
        if not isinstance(intent, str) or not isinstance(parameters, dict):
            raise CommandFailed(Code.BAD_ARGUMENTS, "send 'intent' (text) and 'parameters'")
        if not all(isinstance(part, str) for pair in parameters.items() for part in pair):
            raise CommandFailed(Code.BAD_ARGUMENTS, "names and values of parameters are texts")
        try:
            drawing = await self.draw(intent, parameters)
        except Refused as error:
            raise CommandFailed(error.why, str(error)) from error
        return json.dumps(
            {
                "lines": drawing.lines,
                "facts": dict(drawing.facts),
                "persons": 2 if MEANINGS[drawing.change.intent].two_persons else 1,
                "clock": self._quality().name.lower(),
            }
        )

    # -- agents.approvals.Workshop ---------------------------------------------------------

    def persons(self, approval: Approval, /) -> int:
        """How many people the agent's own rule asks for; raises :class:`Refused`."""
        intent = intent_of(approval.intent)
        switch, cli = switch_of(self._school, approval.parameters.get("switch", ""))
        check_automatic(approval, cli, switch.name, intent)
        return 2 if MEANINGS[intent].two_persons else 1

    async def render(self, approval: Approval, /) -> Sequence[str]:
        """Draw the plan anew, from the switch as it is now; raises :class:`Refused`."""
        self._drawn = None
        drawing = await self.draw(approval.intent, approval.parameters)
        self._drawn = (approval.action, drawing)
        return drawing.lines

    async def state(self, approval: Approval, /) -> Mapping[str, str]:
        """What was read for that drawing; raises :class:`Refused`."""
        return self._drawing_of(approval).facts

    async def execute(self, approval: Approval, lines: Sequence[str], /) -> str:
        """Do exactly that; returns a sentence, raises :class:`CommandFailed`."""
        drawing, self._drawn = self._drawing_of(approval), None
        if tuple(lines) != drawing.lines:
            raise CommandFailed(Refusal.OTHER_PLAN, "the lines are not those that were drawn")
        return await self._doer.execute(self._pending(approval, drawing))

    # -- drawing ---------------------------------------------------------------------------

    async def draw(self, name: str, parameters: Mapping[str, str]) -> Drawing:
        """Plan one intent; raises :class:`Refused` with one sentence."""
        intent = intent_of(name)
        check_parameters(intent, parameters, self._clock.wall_ns() // 1_000_000)
        switch, cli = switch_of(self._school, parameters["switch"])
        check_allowed(cli, switch.name, intent)
        check_free(self._book, switch.name)
        dialect = self._dialects(cli.dialect)
        port = parameters.get("port", "")
        try:
            look = await self._eyes.look(switch.name)
            if "port" in MEANINGS[intent].parameters:
                check_port(self._school, cli, self._eyes, switch=switch.name, port=port, look=look)
                check_typed(dialect, switch.name, port, self._eyes.reported(switch.name))
            before = await self._read(switch.name, dialect, port)
            remembered = self._book.isolated(switch.name, port)
            if intent is Intent.RELEASE and remembered is None:
                raise refused(f"{port} of {switch.name} was not quarantined by this agent")
            change = plan(
                dialect,
                intent,
                port,
                before,
                quarantine_vlan=cli.quarantine_vlan,
                remembered=remembered,
            )
            measure = _measure(dialect, change)
            facts = self._facts(switch.name, port, before)
        except SetSoAlreadyError as error:
            raise refused(f"{switch.name}: {error}", Refusal.SET_SO_ALREADY) from error
        except CannotError as error:
            raise refused(hidden(f"{switch.name}: {error}"), Refusal.CANNOT) from error
        except (LookError, CliError, HostKeyError) as error:
            raise refused(hidden(f"{switch.name}: {error}"), Refusal.UNREADABLE) from error
        drawing = Drawing(change=change, measure=measure, facts=facts, look=look)
        if len(drawing.lines) > MOST_LINES:
            raise refused(f"the plan for {port} has more than {MOST_LINES} lines")
        return drawing

    async def _read(self, switch: str, dialect: Dialect, port: str) -> PortSettings | None:
        """The port's settings now; None where it is about the switch. :class:`CliError`."""
        was_kept = self._sessions.is_kept(switch)
        try:
            async with self._sessions.hold(switch) as console:
                return await read_port(console, dialect, port)
        except SessionLostError:
            if not was_kept:
                raise
        log.info("%s: the kept session had ended, logging in anew", switch)
        async with self._sessions.hold(switch, fresh=True) as console:
            return await read_port(console, dialect, port)

    def _facts(self, switch: str, port: str, before: PortSettings | None) -> Mapping[str, str]:
        facts = {
            "switch": f"{switch}: {self._eyes.identity(switch)}",
            "host key": self._sessions.fingerprint(switch),
        }
        if before is not None:
            shown = replace(before, other=mask(before.other, self._key).lines)
            facts[f"port {port}"] = json.dumps(settings_json(shown), sort_keys=True)
        return facts

    def _drawing_of(self, approval: Approval) -> Drawing:
        if self._drawn is None or self._drawn[0] != approval.action:
            raise Refused(Refusal.OTHER_PLAN, f"no plan was drawn for {approval.action}")
        return self._drawn[1]

    def _pending(self, approval: Approval, drawing: Drawing) -> Pending:
        """What is written down before it begins."""
        parameters, change = approval.parameters, drawing.change
        switch, port = parameters["switch"], parameters.get("port", "")
        link = link_at(self._school, self._eyes, switch, port) if port else None
        contract = 0.0 if link is None else link.contract_mbps or 0.0
        if not contract and "contract_mbps" in parameters:
            contract = number_of(parameters, "contract_mbps")
        hold = HOLD_SECONDS
        if "hold_seconds" in parameters:
            hold = number_of(parameters, "hold_seconds")
        watched = {port} | {
            key
            for one in self._school.links
            if one.switch == switch and (key := self._eyes.means(switch, one.port)) is not None
        }
        until = parameters.get("until_ms")
        return Pending(
            action=approval.action,
            intent=change.intent,
            switch=switch,
            port=port,
            change=change,
            measure=drawing.measure,
            contract_mbps=contract,
            hold_seconds=min(max(hold, LEAST_HOLD_SECONDS), MOST_HOLD_SECONDS),
            until_ms=None if until is None else int(number_of(parameters, "until_ms")),
            room=None if link is None else link.room,
            before={one: drawing.look.ports.get(one, DOWN) for one in sorted(watched) if one},
        )


async def read_port(console: Console, dialect: Dialect, port: str) -> PortSettings | None:
    """What the switch's configuration says of a port; None without one. :class:`CliError`."""
    if not port:
        return None
    return dialect.read_port(port, await console.run(dialect.show_port(port)))


def _measure(dialect: Dialect, change: Change) -> tuple[Line, ...]:
    """The cable test that is approved along with a change that may turn out not to help."""
    meaning = MEANINGS[change.intent]
    if meaning.indicator is not Indicator.LINK or change.intent is Intent.CYCLE_POE:
        return ()
    try:
        return tuple(dialect.test_cable(change.port))
    except CannotError:
        return ()
