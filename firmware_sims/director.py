"""Faults that come and go in the demo's city: a deterministic schedule by seed.

Each fault is a pair of commands, one that breaks and one that mends, addressed to the
switch simulator, the board simulator, or (a silent agent) to whoever runs the agents.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from firmware_sims.city import (
    UPS,
    CityPlan,
    LinkPlan,
    SchoolPlan,
    Served,
    board_of,
    boards_fed,
    power_back,
    power_cut,
)
from firmware_sims.repairs import Care


class Place(StrEnum):
    """Who carries a command out."""

    SWITCHES = "switches"
    BOARDS = "boards"
    AGENTS = "agents"


class FaultKind(StrEnum):
    """What goes wrong."""

    CLASS_SLOW = "class at 100 Mbit/s"
    CLASS_HALF = "class at half duplex"
    CLASS_DOWN = "class link down"
    UPLINK_DOWN = "uplink down"
    UPLINK_SLOW = "uplink at 1 Gbit/s"
    ADMIN_DOWN = "class port switched off"
    REBOOT = "switch reboots"
    SWITCH_SILENT = "switch does not answer"
    AGENT_SILENT = "gateway agent silent"
    BOARD_OFFLINE = "class board offline"
    POWER_CUT = "power cut"
    FORCED = "class port set to 100 Mbit/s by hand"
    BAD_PAIR = "bad pair in a class's cable"
    STUCK = "class port stuck at 100 Mbit/s"


MENDED = {
    FaultKind.FORCED: Care.MENDS,
    FaultKind.BAD_PAIR: Care.MENDS,
    FaultKind.STUCK: Care.ASKS,
}
"""Come first, each where it shows something: one that the city cures by itself, one that it puts
back because people have to mend it, one for which it asks people."""
LONG_SECONDS = (75.0, 90.0)
"""Long enough to try, to put back and to measure the cable; or to find somebody who approves."""
FIRST_SECONDS = 5.0
BETWEEN_SECONDS = (5.5, 8.0)
LASTS_SECONDS = (18.0, 30.0)
REBOOT_SILENT_SECONDS = 12.0
BATTERY_SECONDS = 8.0
"""So long the battery lasts when mains fail."""

Command = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault from beginning to end."""

    kind: FaultKind
    school: SchoolPlan
    what: str
    place: Place
    begin: Command
    end: Command
    start_seconds: float
    end_seconds: float
    cut_off: tuple[str, ...] = ()
    """The serials of the boards behind what breaks: they go and come with it ..."""
    cut_off_seconds: float = 0.0
    """... so long after the beginning."""


def faults(city: CityPlan, served: dict[str, Served], *, speed: float = 1.0) -> Iterator[Fault]:
    """Faults for ever, in the order they begin; every kind once before any comes again.

    No two touch the same school at the same time, so what the page shows has one cause.
    """
    chance = random.Random(f"faults {city.seed}")
    now = FIRST_SECONDS
    busy: dict[str, float] = {}
    while True:
        kinds = [kind for kind in FaultKind if kind not in MENDED]
        chance.shuffle(kinds)
        for kind in (*MENDED, *kinds):
            free = [
                one
                for one in city.schools
                if busy.get(one.id, 0.0) <= now and MENDED.get(kind, one.care) is one.care
            ]
            if free:
                school = chance.choice(free)
                fault = _fault(kind, school, served, chance, now)
                busy[school.id] = fault.end_seconds + 5.0
                yield _scaled(fault, speed)
            now += chance.uniform(*BETWEEN_SECONDS)


def _fault(
    kind: FaultKind,
    school: SchoolPlan,
    served: dict[str, Served],
    chance: random.Random,
    now: float,
) -> Fault:
    classes = [link for link in school.links if link.tier == "class"]
    lasts = chance.uniform(*LASTS_SECONDS)
    match kind:
        case FaultKind.UPLINK_DOWN | FaultKind.UPLINK_SLOW:
            link = next(link for link in school.links if link.tier == "uplink")
        case _:
            link = chance.choice(classes)
    what, place = link.name, Place.SWITCHES
    begin, end = _commands(kind, school, link, served)
    if kind in {FaultKind.REBOOT, FaultKind.SWITCH_SILENT}:
        what = link.switch
    elif kind is FaultKind.AGENT_SILENT:
        what, place = "", Place.AGENTS
    elif kind is FaultKind.BOARD_OFFLINE:
        serial, _, what = chance.choice(school.boards)
        place = Place.BOARDS
        begin = {"board": serial, "set": {"offline": True}}
        end = {"board": serial, "set": {"offline": False}}
    if kind is FaultKind.REBOOT:
        lasts = REBOOT_SILENT_SECONDS
    elif kind in {FaultKind.BAD_PAIR, FaultKind.STUCK}:
        lasts = chance.uniform(*LONG_SECONDS)
    cut_off: tuple[str, ...] = ()
    board = board_of(school, link)
    if kind in {FaultKind.CLASS_DOWN, FaultKind.ADMIN_DOWN} and board is not None:
        cut_off = (board,)
    elif kind is FaultKind.POWER_CUT:
        what, cut_off = UPS, boards_fed(school)
    return Fault(
        kind=kind,
        school=school,
        what=what,
        place=place,
        begin=begin,
        end=end,
        start_seconds=now,
        end_seconds=now + lasts,
        cut_off=cut_off,
        cut_off_seconds=BATTERY_SECONDS if kind is FaultKind.POWER_CUT else 0.0,
    )


def _commands(
    kind: FaultKind, school: SchoolPlan, link: LinkPlan, served: dict[str, Served]
) -> tuple[Command, Command]:
    switch = school.fleet_name(link.switch)
    nominal = 10_000 if link.tier == "uplink" else 1_000
    changes: dict[FaultKind, tuple[Command, Command]] = {
        FaultKind.CLASS_SLOW: ({"speed_mbps": 100}, {"speed_mbps": nominal}),
        # Half duplex exists at 100 Mbit/s and below; at 1 Gbit/s it would be the agent's mistake.
        FaultKind.CLASS_HALF: (
            {"speed_mbps": 100, "duplex": "half"},
            {"speed_mbps": nominal, "duplex": "full"},
        ),
        FaultKind.CLASS_DOWN: ({"oper": "down"}, {"oper": "up"}),
        FaultKind.UPLINK_DOWN: ({"oper": "down"}, {"oper": "up"}),
        FaultKind.UPLINK_SLOW: ({"speed_mbps": 1_000}, {"speed_mbps": nominal}),
        FaultKind.ADMIN_DOWN: ({"admin": "down"}, {"admin": "up"}),
    }
    if kind in changes:
        port = served[switch].name_of(link)
        begin, end = changes[kind]
        return (
            {"switch": switch, "port": port, "set": begin},
            {"switch": switch, "port": port, "set": end},
        )
    if kind in MENDED:
        port = served[switch].name_of(link)
        what, begin, end = _MENDED[kind]
        return (
            {"switch": switch, "port": port, what: begin},
            {"switch": switch, "port": port, what: end},
        )
    if kind is FaultKind.POWER_CUT:
        return power_cut(school, BATTERY_SECONDS), power_back(school)
    if kind is FaultKind.REBOOT:
        return {"switch": switch, "reboot": {"silent_seconds": REBOOT_SILENT_SECONDS}}, {}
    return {"switch": switch, "silent": True}, {"switch": switch, "silent": False}


_MENDED: dict[FaultKind, tuple[str, Command, Command]] = {
    FaultKind.FORCED: ("configure", {"speed_mbps": 100}, {"speed_mbps": None}),
    FaultKind.STUCK: ("set", {"speed_mbps": 100}, {"speed_mbps": 1_000}),
    FaultKind.BAD_PAIR: (
        "wire",
        {"pairs": {"C": {"state": "open", "metres": 17}}},
        {"pairs": {"C": None}},
    ),
}
"""What is changed, how it begins and how it ends."""


def _scaled(fault: Fault, speed: float) -> Fault:
    begin = fault.begin
    if fault.kind is FaultKind.REBOOT:
        begin = {**begin, "reboot": {"silent_seconds": REBOOT_SILENT_SECONDS / speed}}
    elif fault.kind is FaultKind.POWER_CUT:
        begin = power_cut(fault.school, BATTERY_SECONDS / speed)
    return replace(
        fault,
        begin=begin,
        start_seconds=fault.start_seconds / speed,
        end_seconds=fault.end_seconds / speed,
        cut_off_seconds=fault.cut_off_seconds / speed,
    )
