"""The room of incidents: feeds the engine, keeps what it says, tells screens and people."""

import asyncio
import copy
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Protocol

from controller.api.services import Health
from controller.house import House
from controller.incidents.case import Case
from controller.incidents.engine import Engine
from controller.incidents.errors import STREAM as COUNTERS
from controller.incidents.errors import ErrorCounts
from controller.incidents.facts import BESIDE, Sampler, blink_of, fact_of
from controller.incidents.hours import Hours
from controller.incidents.maintenance import Window, Windows
from controller.incidents.mending import Repair
from controller.incidents.model import (
    SECOND_NS,
    SLICE,
    Act,
    Event,
    Fact,
    Incident,
    Kind,
    Outcome,
    State,
    Subject,
    Timing,
)
from controller.incidents.parents import Parents, PlanParents
from controller.incidents.places import Places
from controller.incidents.post import Postman
from controller.incidents.records import IncidentRecords
from controller.incidents.views import IncidentView, incident_json
from controller.sla.availability import Maintenance
from controller.state.live import GRACE_NS
from controller.store.protocols import LinkChange, StoreError
from controller.views import Change
from tenone.runtime.clock import Clock
from tenone.vocabulary.scope import DeviceKind, ScopePath
from tenone.vocabulary.states import Cause

log = logging.getLogger(__name__)

STEP_SECONDS = 0.5
"""How often what happened is looked at."""
PRUNE_SECONDS = 3600.0
ASK_AGAIN_SECONDS = 10.0
"""A parent is asked for at most so often."""
GONE = "configuration"
"""Who resolves the incident of something that the configuration no longer has."""

Listener = Callable[[Sequence[Change]], None]


class Recheck(Protocol):
    """Asks the agent to look at a switch now, so that a parent is judged before its child."""

    async def __call__(self, school: str, switch: str | None) -> object:
        """Ask; what comes of it comes as blocks."""
        ...


MoreFacts = Callable[[int], Iterable[Fact]]
"""At a moment (wall clock, ns), what differs from what was told last."""
Repairs = Callable[[], Iterable[Repair]]
"""The actions that are under way at switches, or were a moment ago."""


def no_repairs() -> Iterable[Repair]:
    """Nothing is changed."""
    return ()


class SteadyWall:
    """Wall-clock time that never goes back: while the clock is behind, ours runs on alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_ns = clock.wall_ns()
        self._at_ns = clock.monotonic_ns()

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC."""
        monotonic_ns = self._clock.monotonic_ns()
        steady = self._last_ns + max(monotonic_ns - self._at_ns, 0)
        self._last_ns = max(self._clock.wall_ns(), steady)
        self._at_ns = monotonic_ns
        return self._last_ns


class Told(Protocol):
    """What else hears of every step, before it is kept: escalation."""

    def step(
        self, engine: Engine, events: Sequence[Event], now_ns: int
    ) -> tuple[list[Event], list[Mapping[str, object]]]:
        """Events and notices to keep with the step."""
        ...


class Nobody:
    """Nobody is told."""

    def step(
        self, _engine: Engine, _events: Sequence[Event], _now_ns: int
    ) -> tuple[list[Event], list[Mapping[str, object]]]:
        """See :class:`Told`."""
        return [], []


class IncidentRoom:
    """See the module. All methods but :meth:`open` belong to the event loop's thread."""

    name = "incidents"

    def __init__(
        self,
        house: House,
        *,
        timing: Timing,
        parents: Parents | None = None,
        told: Told | None = None,
        errors: ErrorCounts | None = None,
        hours: Hours | None = None,
    ) -> None:
        self._house = house
        self._clock = house.clock
        self.wall = SteadyWall(house.clock)
        self.windows = Windows()
        parents = parents or PlanParents(house.plan)
        self.places = Places(house.plan, parents, hours=hours, now_ns=self.wall.now_ns)
        self.engine = Engine(
            parents, timing=timing, windows=self.windows, scope_of=self.places.scope
        )
        self.records = IncidentRecords(house.records.engine)
        self.recheck: Recheck | None = None
        self.more: Sequence[MoreFacts] = ()
        """What else knows of trouble, asked at each step."""
        self.repairs: Repairs = no_repairs
        """What TenOne does at switches, or has just done."""
        self._told: Told = told or Nobody()
        self._errors = errors or ErrorCounts()
        self._inbox = house.bus.changes()
        self._flaps = house.bus.flaps()
        self._counters = house.bus.blocks(COUNTERS)
        self._sampler = Sampler(house.live, ())
        self._listeners: list[Listener] = []
        self._started_ns = house.clock.monotonic_ns()
        self._dirty: set[str] = set()
        self._gone: dict[str, Incident] = {}
        self._events: list[Event] = []
        self._notices: list[Mapping[str, object]] = []
        self._handed: dict[Subject, int] = {}
        """Of each link: the moment of the last fact; they are handed over as they were judged."""
        self._asked: dict[tuple[str, str | None], int] = {}
        self._questions: asyncio.Queue[tuple[str, str | None]] = asyncio.Queue()
        self._stepping, self._writing = asyncio.Lock(), asyncio.Lock()
        self.postman: Postman | None = None
        self._trouble = ""

    # -- the Room protocol

    def open(self) -> None:
        """Learn what was open; called in the records' thread. Raises StoreError."""
        if self.postman is not None:
            self.postman.open()
        now_ns = self.wall.now_ns()
        since_ns = now_ns - round(self.engine.timing.reopen_seconds * SECOND_NS)
        kept = self.records.load(since_ns)
        for window in kept.windows:
            self.windows.put(window)
        for incident in kept.incidents:
            if incident.is_open and not self.places.knows(incident.subject):
                incident.state = State.RESOLVED
                incident.resolved_ns = now_ns
                incident.resolved_by = GONE
                self._gone[incident.id] = incident
                event = Event(incident=incident.id, at_ns=now_ns, act=Act.RESOLVED, who=GONE)
                self._events.append(event)
        known = [one for one in kept.incidents if one.id not in self._gone]
        ids = {one.id for one in known}
        self.engine.restore(known, [case for case in kept.cases if case.incident in ids])
        heard = {
            change.link.partition("/")[0]
            for change in self._house.records.last_changes().values()
            if change.causes != 1 << Cause.NEVER_SEEN
        }
        self._sampler = Sampler(self._house.live, heard)

    def tasks(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """See the protocol."""
        tasks = {
            "incidents": self._run,
            "incidents care": self._care,
            "incidents recheck": self._recheck,
        }
        return tasks if self.postman is None else tasks | dict(self.postman.tasks())

    def health(self) -> Health:
        """See the protocol."""
        count = len(self.engine.open())
        sentence = self._trouble or f"{count} open, {self.engine.late} late facts left out"
        if self.postman is not None and self.postman.trouble:
            sentence += f"; {self.postman.trouble}"
        return Health(name=self.name, ready=not self._trouble, sentence=sentence)

    def close(self) -> None:
        """Keep what is left; called in the records' thread, after the tasks have ended."""
        self._gone, gone = {}, self._gone
        rows: list[tuple[Incident, Case | None, str]] = [
            (one, None, self.places.district(one.subject.school)) for one in gone.values()
        ]
        if rows or self._dirty or self._events:
            self.records.write([*rows, *self._rows(self._dirty)], self._events, self._notices)

    # -- steps

    async def _run(self) -> None:
        while True:
            await self.step()
            await self._clock.sleep(STEP_SECONDS)

    async def _care(self) -> None:
        while True:
            await self._house.in_records(self.records.prune, self.wall.now_ns())
            await self._clock.sleep(PRUNE_SECONDS)

    async def step(self) -> None:
        """Take in what happened, do what is due, keep it, tell it.

        When a whole city changes, all this takes seconds: it is done in slices, and everybody else
        has his turn in between.
        """
        async with self._stepping:
            now_ns = self.wall.now_ns()
            facts = [fact async for fact in self._facts(now_ns)]
            ahead_ns = now_ns - self._clock.wall_ns()
            repairs = [one.moved(ahead_ns) for one in self.repairs()]
            steps = self.engine.advancing(now_ns, facts, self._seen_well, repairs)
            try:
                for _ in steps:
                    await asyncio.sleep(0)
            finally:
                # A stop that comes in the middle finds a whole step, to be kept by close().
                for _ in steps:
                    pass
                changed = self._done(self.engine.outcome, now_ns)
            self._ask()
            await self.keep()
            await self._publish(changed)

    def _done(self, outcome: Outcome, now_ns: int) -> set[str]:
        """What is to be kept of a step; returns the incidents that look different."""
        events, notices = self._told.step(self.engine, outcome.events, now_ns)
        self._events += outcome.events + events
        self._notices += notices
        changed = outcome.changed | {event.incident for event in events}
        self._dirty |= changed
        return changed

    async def _facts(self, now_ns: int) -> AsyncIterator[Fact]:
        for arrival in self._counters.take_now():
            self._errors.take(arrival)
        ahead_ns = now_ns - self._clock.wall_ns()
        # What was handed over and what live state shows are compared at one moment.
        changes, flaps = self._inbox.take_now(), self._flaps.take_now()
        self._sampler.told(changes)
        different = self._sampler.links(now_ns)
        counts = self._clock.monotonic_ns() - self._started_ns >= GRACE_NS
        others = list(
            self._sampler.others(now_ns, self._clock.monotonic_ns(), silence_counts=counts)
        )
        others += [fact for more in self.more for fact in more(now_ns)]
        for number, change in enumerate(changes, 1):
            yield self._fact(change, now_ns, ahead_ns)
            if number % SLICE == 0:
                await asyncio.sleep(0)
        for flap in flaps:
            if not flap.restarted:  # else the switch was away with all of its links
                yield self._dated(blink_of(flap), now_ns, ahead_ns)
        for number, change in enumerate(different, 1):
            yield self._fact(change, now_ns, 0)
            if number % SLICE == 0:
                await asyncio.sleep(0)
        for fact in others:
            yield fact

    def _fact(self, change: LinkChange, now_ns: int, ahead_ns: int) -> Fact:
        """``ahead_ns``: by how much our time runs ahead of a wall clock that stepped back."""
        errors = self._errors.of(change.link)
        fact = fact_of(change, self.places.contract_mbps(change.link), errors)
        if fact.cause in BESIDE:
            # A change bears the moment its port was read, which was before this happened: a switch
            # that died with its boards would count as seen well since.
            fact = replace(fact, at_ns=now_ns - ahead_ns)
        return self._dated(fact, now_ns, ahead_ns)

    def _dated(self, fact: Fact, now_ns: int, ahead_ns: int) -> Fact:
        # What is judged now was read a moment ago, which may be before "nobody sees it" was said.
        after_ns = self._handed.get(fact.subject, 0) + 1
        at_ns = self._handed[fact.subject] = max(min(fact.at_ns + ahead_ns, now_ns), after_ns)
        return fact if at_ns == fact.at_ns else replace(fact, at_ns=at_ns)

    def _seen_well(self, subject: Subject) -> int | None:
        return self._sampler.seen_well_ns(subject, self._clock.monotonic_ns(), self.wall.now_ns())

    def _ask(self) -> None:
        """Ask for the parents that children wait for, each at most once in a while."""
        now_ns = self._clock.monotonic_ns()
        old_ns = now_ns - round(ASK_AGAIN_SECONDS * SECOND_NS)
        self._asked = {key: at for key, at in self._asked.items() if at > old_ns}
        for parent in sorted(self.engine.waiting()):
            names = {Kind.SWITCH: parent.name, Kind.POWER: f"{DeviceKind.UPS}/{parent.name}"}
            key = (parent.school, names.get(parent.kind))
            if parent.kind is not Kind.AGENT and key not in self._asked:
                self._asked[key] = now_ns
                self._questions.put_nowait(key)

    async def _recheck(self) -> None:
        while True:
            school, switch = await self._questions.get()
            if self.recheck is not None:
                await self.recheck(school, switch)

    # -- keeping and telling

    def note(self, incident: Incident, event: Event) -> None:
        """A person did something; :meth:`keep` makes it durable."""
        self._dirty.add(incident.id)
        self._events.append(event)

    async def keep(self) -> None:
        """Write what is not yet in the records; what cannot be written stays for the next time."""
        async with self._writing:
            while self._dirty or self._events or self._notices or self._gone:
                if not await self._keep_some():
                    return

    async def _keep_some(self) -> bool:
        """Some incidents, each with all its events and notices; False where it failed."""
        some = set(islice(self._dirty, SLICE))
        whole = len(some) == len(self._dirty)
        events = [one for one in self._events if whole or one.incident in some]
        notices = [one for one in self._notices if whole or one["incident"] in some]
        gone, self._gone = self._gone, {}
        self._dirty -= some
        self._events = [] if whole else [e for e in self._events if e.incident not in some]
        self._notices = [] if whole else [n for n in self._notices if n["incident"] not in some]
        rows = self._rows(some)
        rows += [(one, None, self.places.district(one.subject.school)) for one in gone.values()]
        try:
            # A stop that comes while this stands in the thread's queue must not take it out.
            work = self._house.in_records(self.records.write, rows, events, notices)
            await asyncio.shield(work)
            self._trouble = ""
        except StoreError as error:
            self._trouble = str(error)
            self._dirty |= some
            self._events = events + self._events
            self._notices = notices + self._notices
            self._gone = gone | self._gone
            log.error("%s", error)  # noqa: TRY400 - the sentence is all there is to say
            return False
        return True

    @property
    def trouble(self) -> str:
        """Why the records cannot be written; empty while they can."""
        return self._trouble

    def _rows(self, ids: Iterable[str]) -> list[tuple[Incident, Case | None, str]]:
        found = []
        for one in sorted(ids):
            incident = self.engine.incidents.get(one)
            if incident is not None:
                case = self.engine.cases.get(incident.subject)
                district = self.places.district(incident.subject.school)
                found.append((copy.copy(incident), copy.copy(case), district))
        return found

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every batch of changed incidents."""
        self._listeners.append(listener)

    async def _publish(self, ids: Iterable[str]) -> None:
        for number, one in enumerate(sorted(ids) if self._listeners else (), 1):
            incident = self.engine.incidents.get(one)
            if incident is not None:
                self.publish(incident)
            if number % SLICE == 0:
                await asyncio.sleep(0)

    def publish(self, incident: Incident) -> None:
        """Tell the screens of one incident now."""
        change = Change(
            scope=self.places.scope(incident.subject.school),
            kind="incident",
            id=incident.id,
            body=lambda: incident_json(self.places.view(incident)),
        )
        for listener in self._listeners:
            listener([change])

    # -- for others

    def views(self, scope: ScopePath) -> list[IncidentView]:
        """Open incidents inside ``scope``."""
        return [
            self.places.view(one)
            for one in self.engine.open()
            if scope.covers(self.places.scope(one.subject.school))
        ]

    def changes(self, scope: ScopePath) -> Sequence[Change]:
        """The same for the live stream."""
        return [change_of(view) for view in self.views(scope)]

    def maintenance(self, link_id: str) -> Sequence[Maintenance]:
        """The approved work on a link: what its service window loses (SLA.md, definition 1)."""
        return self.windows.of_link(link_id, self.places.scope(link_id.partition("/")[0]))

    async def put_window(self, window: Window) -> None:
        """Keep a window; raises StoreError."""
        await self._house.in_records(self.records.put_window, window)
        self.windows.put(window)


def change_of(view: IncidentView) -> Change:
    """A view for the live stream."""
    return Change(scope=view.scope, kind="incident", id=view.id, body=incident_json(view))


def new_id(what: str) -> str:
    """A short id for something a person made."""
    return f"{what}-{secrets.token_hex(5)}"
