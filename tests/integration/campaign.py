"""A city of small schools, faults by seed, and a watcher on the live stream like any page.

What is measured is what a person would see: from the moment the device is broken to the moment
the stream says so. What is judged: every alarm needs a fault that explains it, every fault an
alarm, and nobody is told about the children of what has died.
"""

import asyncio
import contextlib
import json
import random
import signal
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from firmware_sims.city import (
    COMMUNITY_VARIABLE,
    FED,
    UPS,
    LinkPlan,
    SchoolPlan,
    boards_fed,
    power_back,
    power_cut,
)
from tenone.cli.demo import Demo, Stage, Wanted
from tenone.cli.processes import free_udp_port

Json = dict[str, Any]
STATE_SECONDS = 1.0
COUNTERS_SECONDS = 2.0
BATTERY_SECONDS = 4.0
"""So long a UPS's battery lasts."""
BROKEN_SECONDS = 30.0
"""So long a fault may take to be seen, and to be gone again."""
REPAIR_SECONDS = 9.0
"""So long TenOne has for what a setting of the switch is to blame for, before a person mends it."""
QUIET_SECONDS = 2.5


class Trouble(StrEnum):
    """What is done to the city."""

    CLASS_SLOW = "class at 100 Mbit/s"
    CLASS_HALF = "class at half duplex"
    CLASS_DOWN = "class link down"
    ADMIN_DOWN = "class port switched off"
    UPLINK_DOWN = "uplink down"
    UPLINK_SLOW = "uplink at 1 Gbit/s"
    FLOOR_SILENT = "floor switch does not answer"
    CORE_SILENT = "core switch does not answer"
    REBOOT = "switch reboots"
    AGENT_KILLED = "gateway killed"
    BOARD_OFFLINE = "class board offline"
    ERRORS = "frame errors"
    FLAP = "link flaps"
    BLIP = "100 Mbit/s inside one poll"
    POWER_CUT = "power cut"


STATE_FAULTS = frozenset({
    Trouble.CLASS_SLOW, Trouble.CLASS_HALF, Trouble.CLASS_DOWN, Trouble.ADMIN_DOWN,
    Trouble.UPLINK_DOWN, Trouble.UPLINK_SLOW,
})  # fmt: skip
"""Those one state poll shows; the aim of the issue is about them."""
REPAIRED = frozenset({Trouble.CLASS_SLOW, Trouble.CLASS_HALF, Trouble.ADMIN_DOWN})
"""Those TenOne repairs by itself, in the schools that agreed to it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing the stream said."""

    at: float
    kind: str
    id: str
    body: Json


class Watch:
    """Follows the live stream as a page does."""

    def __init__(self, url: str, code: str) -> None:
        self._url = url
        self._code = code
        self.said: list[Seen] = []
        self.now: dict[tuple[str, str], Json] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(
            base_url=self._url, headers={"Origin": self._url}, timeout=httpx.Timeout(10, read=None)
        )
        answer = await self._client.post("/api/v1/sessions", json={"code": self._code})
        answer.raise_for_status()
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._client.aclose()

    async def _follow(self) -> None:
        path = "/api/v1/events?kinds=link,incident,school,agent,switch"
        async with self._client.stream("GET", path) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("data:"):
                    self._take(json.loads(line[5:]))

    def _take(self, data: Json) -> None:
        at = time.monotonic()
        for change in data.get("changes", ()):
            seen = Seen(at, change["kind"], change["id"], change["body"])
            self.said.append(seen)
            self.now[seen.kind, seen.id] = seen.body
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait until ``holds``; False if it never did."""
        ends = time.monotonic() + seconds
        while not holds():
            rest = ends - time.monotonic()
            if rest <= 0:
                return False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(rest, 0.25))
        return True

    def first(self, since: float, kind: str, holds: Callable[[str, Json], bool]) -> float | None:
        """When something was first said after ``since`` that ``holds``."""
        for seen in reversed(self.said):
            if seen.at < since:
                break
        return next(
            (
                one.at
                for one in self.said
                if one.at >= since and one.kind == kind and holds(one.id, one.body)
            ),
            None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the screen must come to say: link ids with verdict and first cause; the incident."""

    links: dict[str, tuple[str, str]]
    kind: str | None
    """Kind of the incident; None: nobody needs to be told."""
    name: str = ""
    causes: frozenset[str] = frozenset()

    def is_its(self, school: str, incident: Json) -> bool:
        """Whether ``incident`` is the one."""
        name = incident["link"] if incident["kind"] == "link" else incident["name"]
        wanted = f"{school}/{self.name}" if self.kind == "link" else self.name
        return (
            incident["school"] == school
            and incident["kind"] == self.kind
            and (self.kind == "agent" or name == wanted)
        )


@dataclass(slots=True, kw_only=True)
class Record:
    """One fault, from its beginning to the end of everything it caused."""

    trouble: Trouble
    school: str
    place: str
    began: float = 0.0
    ended: float = 0.0
    over: float = 0.0
    expected: Expected = field(default_factory=lambda: Expected(links={}, kind=None))
    verdict_seconds: float | None = None
    alarm_seconds: float | None = None
    causes: frozenset[str] = frozenset()
    children: list[str] = field(default_factory=list)
    missed: bool = False
    stuck: str = ""


class Campaign:
    """Runs faults in every school at once, one after the other in each."""

    def __init__(self, demo: Demo, watch: Watch, seed: int) -> None:
        self._demo = demo
        self.watch = watch
        self._seed = seed
        self.records: list[Record] = []

    async def run(self, faults_each: int, troubles: Collection[Trouble] = tuple(Trouble)) -> None:
        """All schools together."""
        async with asyncio.TaskGroup() as tasks:
            for school in self._demo._plan.schools:
                tasks.create_task(self._school(school, faults_each, sorted(troubles)))

    async def _school(self, school: SchoolPlan, count: int, troubles: list[Trouble]) -> None:
        chance = random.Random(f"campaign {self._seed} {school.id}")
        kinds: list[Trouble] = []
        while len(kinds) < count:
            some = list(troubles)
            chance.shuffle(some)
            kinds += some
        await asyncio.sleep(chance.uniform(0, 3))
        for trouble in kinds[:count]:
            await self._one(school, trouble, chance)
            await asyncio.sleep(QUIET_SECONDS * chance.uniform(0.5, 1.5))

    async def _one(self, school: SchoolPlan, trouble: Trouble, chance: random.Random) -> None:
        fault = _Fault(self._demo, school, trouble, chance)
        record = Record(
            trouble=trouble, school=school.id, place=fault.place, expected=fault.expected
        )
        self.records.append(record)
        record.began = time.monotonic()
        await fault.begin()
        if fault.expected.links:
            await self.watch.until(lambda: self._links_are(fault.expected.links), BROKEN_SECONDS)
        record.verdict_seconds = self._verdict_after(record)
        if fault.expected.kind is not None:
            await self.watch.until(lambda: self._alarm(record) is not None, BROKEN_SECONDS)
            told = self._alarm(record)
            record.missed = told is None
            record.alarm_seconds = None if told is None else told - record.began
        await asyncio.sleep(chance.uniform(0.5, 1.5))
        if trouble in REPAIRED:
            await asyncio.sleep(chance.uniform(0.0, REPAIR_SECONDS))
        record.ended = time.monotonic()
        await fault.end()
        well = await self.watch.until(lambda: not self._troubled(school), 2 * BROKEN_SECONDS)
        record.over = time.monotonic()
        record.stuck = "" if well else ", ".join(self._troubled(school))

    def _links_are(self, wanted: dict[str, tuple[str, str]]) -> bool:
        return all(
            _looks(self.watch.now.get(("link", link), {}), look) for link, look in wanted.items()
        )

    def _verdict_after(self, record: Record) -> float | None:
        def looked(link: str, look: tuple[str, str]) -> float | None:
            return self.watch.first(
                record.began, "link", lambda id_, body: id_ == link and _looks(body, look)
            )

        moments = [looked(link, look) for link, look in record.expected.links.items()]
        if not moments or None in moments:
            return None
        return max(one for one in moments if one is not None) - record.began

    def _alarm(self, record: Record) -> float | None:
        def told(_: str, body: Json) -> bool:
            return record.expected.is_its(record.school, body) and "alarmed" in body["states"]

        return self.watch.first(record.began, "incident", told)

    def _troubled(self, school: SchoolPlan) -> list[str]:
        """What is not well in a school, by the stream."""
        found = []
        for (kind, id_), body in self.watch.now.items():
            if body.get("school") != school.id:
                continue
            if kind == "link" and body["verdict"] != "good":
                found.append(f"{id_} {body['verdict']} {body['causes']}")
            if kind == "incident" and body["state"] == "open":
                found.append(f"incident {body['kind']} {body['name']} {body['cause']}")
        return found

    # -- judging the judge

    def wrong_alarms(self) -> list[str]:
        """Alarms no fault explains, each with what was going on."""
        wrong: dict[str, str] = {}
        for seen in self.watch.said:
            if seen.kind != "incident" or "alarmed" not in seen.body["states"]:
                continue
            mine = [
                one
                for one in self.records
                if one.school == seen.body["school"]
                and one.began <= seen.at <= (one.over or seen.at) + QUIET_SECONDS
            ]
            if any(self._explains(one, seen) for one in mine):
                continue
            going_on = ", ".join(f"{one.trouble.value} {one.place}" for one in mine) or "nothing"
            wrong.setdefault(
                seen.id,
                f"{seen.body['school']}: {seen.body['kind']} {seen.body['name']} "
                f"{seen.body['cause']} during {going_on}",
            )
        return list(wrong.values())

    @staticmethod
    def _explains(record: Record, seen: Seen) -> bool:
        if not record.expected.is_its(record.school, seen.body):
            return False
        mended = record.ended and seen.at >= record.ended
        if mended and record.expected.kind == "link" and seen.body["cause"] == "link-down":
            return True  # whoever mended it: the port negotiates and carries nothing, which is true
        return not record.expected.causes or seen.body["cause"] in record.expected.causes

    def under_repair(self) -> int:
        """Incidents that said so: what TenOne darkened itself must not have been told."""
        return len({
            seen.id
            for seen in self.watch.said
            if seen.kind == "incident" and "under-repair" in seen.body["states"]
        })  # fmt: skip

    def children_alarmed(self) -> list[str]:
        """Class links people were told about while what carries them was dead."""
        return sorted(
            {
                f"{seen.body['link']} during {record.trouble.value}"
                for record in self.records
                if record.trouble in PARENTS
                for seen in self.watch.said
                if record.began <= seen.at <= record.over and _tells_of_a_class(seen, record.school)
            }
        )

    def table(self) -> str:
        """What was seen, by kind of trouble."""
        head = (
            f"{'trouble':32} {'n':>4} {'verdict p50':>12} {'p99':>7} {'alarm p50':>12} {'p99':>7}"
        )
        lines = [f"{head} missed stuck"]
        for trouble in Trouble:
            mine = [one for one in self.records if one.trouble is trouble]
            if mine:
                verdicts = _pair([one.verdict_seconds for one in mine])
                alarms = _pair([one.alarm_seconds for one in mine])
                missed, stuck = (sum(one.missed for one in mine), sum(bool(o.stuck) for o in mine))
                lines.append(
                    f"{trouble.value:32} {len(mine):>4} {verdicts} {alarms} {missed:>6} {stuck:>5}"
                )
        return "\n".join(lines)


PARENTS = frozenset({
    Trouble.UPLINK_DOWN, Trouble.CORE_SILENT, Trouble.FLOOR_SILENT, Trouble.AGENT_KILLED,
    Trouble.REBOOT, Trouble.POWER_CUT,
})  # fmt: skip


def _tells_of_a_class(seen: Seen, school: str) -> bool:
    body = seen.body
    return (
        seen.kind == "incident"
        and (body["school"], body["kind"], body["tier"]) == (school, "link", "class")
        and "alarmed" in body["states"]
    )


def quantile(values: Sequence[float], share: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def _pair(values: Sequence[float | None]) -> str:
    known = [one for one in values if one is not None]
    if not known:
        return f"{'-':>12} {'-':>7}"
    return f"{statistics.median(known):>11.2f}s {quantile(known, 0.99):>6.2f}s"


def _looks(body: Json, look: tuple[str, str]) -> bool:
    verdict, cause = look
    return body.get("verdict") == verdict and (not cause or cause in body.get("causes", ()))


class _Fault:
    """One thing that is broken and mended."""

    def __init__(
        self, demo: Demo, school: SchoolPlan, trouble: Trouble, chance: random.Random
    ) -> None:
        self._demo = demo
        self._school = school
        self._trouble = trouble
        classes = [link for link in school.links if link.tier == "class"]
        self._link: LinkPlan = (
            next(link for link in school.links if link.tier == "uplink")
            if trouble in {Trouble.UPLINK_DOWN, Trouble.UPLINK_SLOW}
            else chance.choice(classes)
        )
        self._switch = self._link.switch
        if trouble is Trouble.CORE_SILENT:
            self._switch = next(one.switch for one in school.links if one.tier == "uplink")
        self._board = chance.choice(
            [serial for serial, room, _ in school.boards if room == self._link.room] or [""]
        )
        if trouble is Trouble.POWER_CUT:
            self._switch = FED
        self.place = (
            self._switch
            if trouble
            in {Trouble.FLOOR_SILENT, Trouble.CORE_SILENT, Trouble.REBOOT, Trouble.POWER_CUT}
            else self._link.id
        )
        self.expected = self._expect()

    def _expect(self) -> Expected:
        school = self._school
        mine = f"{school.id}/{self._link.id}"
        behind = [f"{school.id}/{one.id}" for one in school.links if one.switch == self._switch]
        links = {
            Trouble.CLASS_SLOW: "speed",
            Trouble.CLASS_HALF: "duplex",
            Trouble.CLASS_DOWN: "link-down",
            Trouble.ADMIN_DOWN: "configuration",
            Trouble.UPLINK_DOWN: "link-down",
            Trouble.UPLINK_SLOW: "speed",
            Trouble.BOARD_OFFLINE: "endpoint",
            Trouble.ERRORS: "errors",
            Trouble.FLAP: "link-down",
        }
        if self._trouble in links:
            cause = links[self._trouble]
            # A port at 100 Mbit/s half is bad for two reasons; the incident names the first.
            causes = {cause, "speed"} if cause == "duplex" else {cause}
            return Expected(
                links={mine: ("bad", cause)},
                kind="link",
                name=self._link.id,
                causes=frozenset(causes),
            )
        match self._trouble:
            case Trouble.AGENT_KILLED:
                every = {
                    f"{school.id}/{one.id}": ("unknown", "agent-silent") for one in school.links
                }
                return Expected(links=every, kind="agent", causes=frozenset({"agent-silent"}))
            case Trouble.BLIP:
                return Expected(links={}, kind=None)
            case Trouble.POWER_CUT:
                return Expected(
                    links=dict.fromkeys(behind, ("bad", "power")),
                    kind="power",
                    name=UPS,
                    causes=frozenset({"power"}),
                )
            case _:
                silent = dict.fromkeys(behind, ("unknown", "switch-silent"))
                return Expected(
                    links=silent,
                    kind="switch",
                    name=self._switch,
                    causes=frozenset({"switch-silent"}),
                )

    async def begin(self) -> None:
        match self._trouble:
            case Trouble.CLASS_SLOW:
                await self._port({"speed_mbps": 100})
            case Trouble.CLASS_HALF:
                await self._port({"speed_mbps": 100, "duplex": "half"})
            case Trouble.CLASS_DOWN | Trouble.UPLINK_DOWN:
                await self._port({"oper": "down"})
            case Trouble.ADMIN_DOWN:
                await self._port({"admin": "down"})
            case Trouble.UPLINK_SLOW:
                await self._port({"speed_mbps": 1000})
            case Trouble.ERRORS:
                await self._port({"errors_per_second": 5000.0})
            case Trouble.FLOOR_SILENT | Trouble.CORE_SILENT:
                await self._ask({"switch": self._fleet, "silent": True})
            case Trouble.REBOOT:
                await self._ask({"switch": self._fleet, "reboot": {"silent_seconds": 8.0}})
            case Trouble.AGENT_KILLED:
                self._demo._agents[self._school.id].signal(signal.SIGKILL)
            case Trouble.BOARD_OFFLINE:
                await self._set_board(offline=True)
            case Trouble.POWER_CUT:
                await self._ask(power_cut(self._school, BATTERY_SECONDS))
                await asyncio.sleep(BATTERY_SECONDS)
                await self._set_boards(offline=True)
            case Trouble.FLAP:
                for _ in range(4):
                    await self._port({"oper": "down"})
                    await asyncio.sleep(1.3)
                    await self._port({"oper": "up"})
                    await asyncio.sleep(1.3)
                await self._port({"oper": "down"})
            case Trouble.BLIP:
                await self._port({"speed_mbps": 100})
                await asyncio.sleep(0.2)
                await self._port({"speed_mbps": 1000})

    async def end(self) -> None:
        match self._trouble:
            case Trouble.CLASS_SLOW | Trouble.CLASS_HALF:
                await self._port({"speed_mbps": 1000, "duplex": "full"})
            case Trouble.CLASS_DOWN | Trouble.UPLINK_DOWN | Trouble.FLAP:
                await self._port({"oper": "up"})
            case Trouble.ADMIN_DOWN:
                await self._port({"admin": "up"})
            case Trouble.UPLINK_SLOW:
                await self._port({"speed_mbps": 10_000})
            case Trouble.ERRORS:
                await self._port({"errors_per_second": 0.0})
            case Trouble.FLOOR_SILENT | Trouble.CORE_SILENT:
                await self._ask({"switch": self._fleet, "silent": False})
            case Trouble.AGENT_KILLED:
                await self._demo._agents[self._school.id].start()
            case Trouble.BOARD_OFFLINE:
                await self._set_board(offline=False)
            case Trouble.POWER_CUT:
                await self._ask(power_back(self._school))
                await self._set_boards(offline=False)

    @property
    def _fleet(self) -> str:
        return self._school.fleet_name(self._switch)

    async def _port(self, changes: Json) -> None:
        port = self._demo._served[self._fleet].name_of(self._link)
        await self._ask({"switch": self._fleet, "port": port, "set": changes})

    async def _ask(self, command: Json) -> None:
        await self._demo._switches.ask(command)

    async def _set_boards(self, *, offline: bool) -> None:
        for board in boards_fed(self._school):
            command = {"board": board, "set": {"offline": offline}}
            await self._demo._boards[board].ask(command)

    async def _set_board(self, *, offline: bool) -> None:
        command = {"board": self._board, "set": {"offline": offline}}
        await self._demo._boards[self._board].ask(command)


class CampaignCity(Demo):
    """The demo's city without its own faults, at the pace of the campaign."""

    def __init__(self, wanted: Wanted, folder: Path, *, state_seconds: float, traps: bool) -> None:
        super().__init__(wanted, folder, Stage())
        self._state_seconds = state_seconds
        self._traps: dict[str, str] = {}
        """School -> where its switches send traps."""
        if traps:
            schools = []
            for school in self._plan.schools:
                where = self._traps[school.id] = f"127.0.0.1:{free_udp_port()}"
                switches = tuple(replace(one, traps=where) for one in school.switches)
                ups = replace(school.ups, traps=where)
                schools.append(replace(school, switches=switches, ups=ups))
            self._plan = replace(self._plan, schools=tuple(schools))

    def _write(self, broker: int, http: int, locals_: dict[str, int]) -> None:
        super()._write(broker, http, locals_)
        self.url = f"http://127.0.0.1:{http}"
        for path in sorted((self._folder / "schools").glob("*.yaml")):
            body = yaml.safe_load(path.read_text(encoding="utf-8"))
            body["polling"] |= {
                "state_seconds": self._state_seconds,
                "counters_seconds": COUNTERS_SECONDS,
                "health_seconds": self._state_seconds,
                "timeout_seconds": 0.2,
            }
            where = self._traps.get(body["school"]["id"])
            if where is not None:
                community = f"env:{COMMUNITY_VARIABLE}"
                body["traps"] = {"listen": where, "communities": [community]}
            body.pop("probes", None)
            path.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
        path = self._folder / "city.yaml"
        city = yaml.safe_load(path.read_text(encoding="utf-8"))
        city["profiles"]["default"]["tiers"]["class"]["objectives"] = {"clauses": ["link", "board"]}
        city["incidents"] = {
            "hold_seconds": 1, "clear_seconds": 2, "reopen_seconds": 1, "settle_seconds": 4,
            "recheck_seconds": 4, "flap_count": 4, "flap_window_seconds": 20,
            "flap_clear_seconds": 4, "holds": {"agent-silent": 2, "switch-silent": 2},
        }  # fmt: skip
        city["enforcement"] |= {"settle_seconds": 3, "hold_seconds": 1}
        path.write_text(yaml.safe_dump(city, allow_unicode=True), encoding="utf-8")


@contextlib.asynccontextmanager
async def campaign(
    folder: Path,
    *,
    schools: int,
    seed: int,
    state_seconds: float = STATE_SECONDS,
    traps: bool = False,
) -> AsyncIterator[Campaign]:
    """A running city with a watcher, everything well."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - before anything runs
    wanted = Wanted(schools=schools, seconds=None, port=0, seed=seed, speed=1.0)
    demo = CampaignCity(wanted, folder, state_seconds=state_seconds, traps=traps)
    try:
        await demo.start()
        async with Watch(demo.url, str(demo.controller.ready["sign_in_code"])) as watch:
            running = Campaign(demo, watch, seed)
            ready: Awaitable[bool] = watch.until(
                lambda: (
                    not any(running._troubled(one) for one in demo._plan.schools)
                    and any(kind == "link" for kind, _ in watch.now)
                ),
                90,
            )
            assert await ready, [running._troubled(one) for one in demo._plan.schools]
            yield running
    finally:
        await demo.stop()
