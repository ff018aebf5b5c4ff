"""A little city that does not exist, by seed: districts, schools, switches, links, boards.

Pure data. The demo turns it into configuration files and processes; tests may ask for the
same city again by its seed. Names are invented, sizes are those of ordinary schools.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from firmware_sims import repairs
from firmware_sims.repairs import VACATION, Care, ConsoleAt
from firmware_sims.switch.model import Neighbour, chassis_mac
from firmware_sims.switch.plan import Plan
from firmware_sims.switch.vendors import SCHOOL_VENDORS, STYLES, Vendor
from firmware_sims.ups.unit import UpsPlan

CITY_ID = "lanjiang"
CITY_NAME = "Lanjiang"
CITY_NAME_ZH = "澜江市"
DISTRICTS = (("east", "East", "东区"), ("west", "West", "西区"), ("new", "New Town", "新区"))
HOST_ID = "tenone-lanjiang"
CORE = "core"
"""The name of the city's core among what is probed."""
COMMUNITY = "public"
COMMUNITY_VARIABLE = "TENONE_DEMO_COMMUNITY"

_ORDINALS = "一二三四五六七八九十"
_KINDS = (
    ("hs", "No. {n} High School", "第{zh}高级中学", ("高一({c})班", "高二({c})班", "高三({c})班")),
    ("ms", "No. {n} Middle School", "第{zh}中学", ("7-{c}班", "8-{c}班", "9-{c}班")),
    ("ps", "No. {n} Primary School", "第{zh}小学", ("1-{c}班", "3-{c}班", "5-{c}班")),
    ("kg", "No. {n} Kindergarten", "第{zh}幼儿园", ("小{c}班", "中{c}班", "大{c}班")),
)
FEWEST_SWITCHES, MOST_SWITCHES = 2, 6
ACCESS_PORTS = 24
UPLINK_PORTS = 2
MOST_SCHOOLS = 200
UPS, FED = "ups-1", "floor-1"
"""The serial of every school's UPS, and the switch that hangs on it."""
UPS_SECONDS = 600.0
"""So long its full battery lasts."""
BOOT_SECONDS = 3.0
"""How long a switch takes to start when there is power again."""
BURST_A_SECOND = 150
"""A class is proved in seven seconds: a demo does not last for hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPlan:
    """A promise and the socket that carries it; ``port`` counts from 0 in its tier."""

    id: str
    tier: str
    switch: str
    port: int
    room: str | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolPlan:
    """One school."""

    id: str
    name: str
    name_zh: str
    district: str
    switches: tuple[Plan, ...]
    """Called ``<school>.<switch>`` among all the city's switches."""
    links: tuple[LinkPlan, ...]
    boards: tuple[tuple[str, str, str], ...]
    """Serial, room, name: one in each class."""
    ups: UpsPlan
    """Called ``<school>.ups-1`` among all the city's; it feeds the switch of the first floor."""
    care: Care = Care.TEACHES
    """How far the city goes in repairing its switches."""

    @property
    def scope(self) -> str:
        """Its path."""
        return f"{CITY_ID}/{self.district}/{self.id}"

    def fleet_name(self, switch: str) -> str:
        """The name of ``switch`` among all switches of the city."""
        return f"{self.id}.{switch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CityPlan:
    """The whole of it."""

    seed: int
    schools: tuple[SchoolPlan, ...]

    @property
    def switches(self) -> list[Plan]:
        """All switches, for one fleet."""
        return [switch for school in self.schools for switch in school.switches]

    @property
    def upses(self) -> list[UpsPlan]:
        """All UPSes, for the same fleet."""
        return [school.ups for school in self.schools]


def plan(*, schools: int = 12, seed: int = 0) -> CityPlan:
    """A city of ``schools`` schools; raises ValueError outside 1 to 200."""
    if not 1 <= schools <= MOST_SCHOOLS:
        raise ValueError(f"{schools} schools: a demo city has 1 to {MOST_SCHOOLS}")
    chance = random.Random(f"city {seed}")
    return CityPlan(seed=seed, schools=tuple(_school(number, chance) for number in range(schools)))


def _school(number: int, chance: random.Random) -> SchoolPlan:
    short, english, chinese, classes = _KINDS[number % len(_KINDS)]
    ordinal = number // len(_KINDS) + 1
    school = f"{short}{ordinal}"
    zh = _ORDINALS[ordinal - 1] if ordinal <= len(_ORDINALS) else str(ordinal)
    switch_count = chance.randint(FEWEST_SWITCHES, MOST_SWITCHES)
    vendor = chance.choice(SCHOOL_VENDORS)
    switches = [_switch(school, "core", vendor, ACCESS_PORTS)]
    switches += [
        _switch(school, f"floor-{floor}", chance.choice([vendor, chance.choice(SCHOOL_VENDORS)]))
        for floor in range(1, switch_count)
    ]
    links = [
        LinkPlan(id="uplink", tier="uplink", switch="core", port=0, room=None, name="上联 Uplink")
    ]
    boards = []
    per_grade = min(2 * (switch_count - 1), 8)
    for grade, pattern in enumerate(classes, start=1):
        for one in range(1, per_grade + 1):
            place = (grade - 1) * per_grade + one - 1
            label = pattern.format(c=one)
            room = f"c{grade}-{one}"
            floor = place % (switch_count - 1) + 1
            socket = place // (switch_count - 1)
            links.append(
                LinkPlan(
                    id=f"class-{grade}-{one}",
                    tier="class",
                    switch=f"floor-{floor}",
                    port=socket,
                    room=room,
                    name=label,
                )
            )
            boards.append((f"{school}-b{grade}{one:02d}", room, label))
    return SchoolPlan(
        id=school,
        name=f"{CITY_NAME} {english.format(n=ordinal)}",
        name_zh=f"{CITY_NAME_ZH}{chinese.format(zh=zh)}",
        district=DISTRICTS[number % len(DISTRICTS)][0],
        switches=_cabled(switches, links),
        links=tuple(links),
        boards=tuple(boards),
        care=repairs.care_of(number),
        ups=UpsPlan(
            name=f"{school}.{UPS}",
            feeds=(f"{school}.{FED}",),
            community=COMMUNITY,
            runtime_seconds=UPS_SECONDS,
            load_ratio=1.0,
            boot_seconds=BOOT_SECONDS,
        ),
    )


def _switch(school: str, name: str, vendor: Vendor, ports: int = ACCESS_PORTS) -> Plan:
    return Plan(
        name=f"{school}.{name}",
        vendor=vendor,
        ports=ports,
        uplinks=UPLINK_PORTS,
        community=COMMUNITY,
        location=f"{school}/{name}",
    )


def _cabled(switches: Sequence[Plan], links: Sequence[LinkPlan]) -> tuple[Plan, ...]:
    """The switches with cables: aliases where one ends, no link where none does.

    Floor ``k`` hangs with its last access port on the core's access port ``k``; both hear
    each other by LLDP.
    """
    core, *floors = switches
    trunk = {"alias": "core"}
    last = ACCESS_PORTS
    cabled = [
        replace(
            floor,
            set=_sockets(
                floor,
                {link.port + 1: {"alias": link.id} for link in links if _on(link, floor)}
                | {last: trunk},
                {},
            ),
            neighbours=(_heard(floor, last, core, number),),
        )
        for number, floor in enumerate(floors, start=1)
    ]
    down = {number: {"alias": _short(floor)} for number, floor in enumerate(floors, start=1)}
    return (
        replace(
            core,
            set=_sockets(core, down, {1: {"alias": "uplink"}}),
            neighbours=tuple(
                _heard(core, number, floor, last) for number, floor in enumerate(floors, start=1)
            ),
        ),
        *cabled,
    )


def _sockets(
    switch: Plan,
    access: Mapping[int, Mapping[str, object]],
    uplinks: Mapping[int, Mapping[str, object]],
) -> dict[str, Mapping[str, object]]:
    """What is set on every socket; those without a cable are down. Numbers count from 1."""
    style = STYLES[switch.vendor]
    unplugged = {"oper": "down"}
    return {style.access_name(n): access.get(n, unplugged) for n in range(1, switch.ports + 1)} | {
        style.uplink_name(n, switch.ports): uplinks.get(n, unplugged)
        for n in range(1, switch.uplinks + 1)
    }


def _heard(switch: Plan, port: int, other: Plan, other_port: int) -> Neighbour:
    return Neighbour(
        port=STYLES[switch.vendor].access_name(port),
        name=other.name,
        remote_port=STYLES[other.vendor].access_name(other_port),
        mac=chassis_mac(other.name),
    )


def _short(switch: Plan) -> str:
    return switch.name.partition(".")[2]


def _on(link: LinkPlan, switch: Plan) -> bool:
    return link.tier == "class" and link.switch == _short(switch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Where a simulated switch answers, as its ready line says."""

    host: str
    port: int
    ports: Sequence[str]
    """ifNames: the access sockets in order, the 10G ones after them."""
    console: ConsoleAt | None = None
    """None: it has no command line."""

    def name_of(self, link: LinkPlan) -> str:
        """The ifName of the socket that carries ``link``."""
        uplinks = self.ports[-UPLINK_PORTS:]
        return uplinks[link.port] if link.tier == "uplink" else self.ports[link.port]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often the agents of the demo look; faster than a real city's."""

    state_seconds: float = 2.0
    counters_seconds: float = 10.0
    probe_seconds: float = 5.0
    """A packet to each class, and a block of samples, this often."""

    @classmethod
    def at(cls, speed: float) -> "Pace":
        """The pace ``speed`` times as fast, as far as polling makes sense."""
        return cls(
            state_seconds=max(2.0 / speed, 0.5),
            counters_seconds=max(10.0 / speed, 2.0),
            probe_seconds=max(5.0 / speed, 1.0),
        )


def school_yaml(
    school: SchoolPlan, served: Mapping[str, Served], *, broker_port: int, local_port: int,
    pace: Pace, outbox: Path, probed: Mapping[str, tuple[str, int]] | None = None,
    syslog: str | None = None,
) -> dict[str, object]:  # fmt: skip
    """The school's configuration; ``served`` is by fleet name, ``syslog`` where lines are heard.

    ``probed``: where the city's core (:data:`CORE`) and the boards, by serial, answer probes.
    """
    return {
        "schema_version": 1,
        "school": {
            "id": school.id,
            "name": school.name,
            "name_zh": school.name_zh,
            "district": school.district,
            "city": CITY_ID,
            **({"profile": VACATION} if school.care.has_holidays else {}),
        },
        "uplink": {"broker": {"host": "127.0.0.1", "port": broker_port}, "host_id": HOST_ID},
        "switches": [
            {
                "name": one.name.removeprefix(f"{school.id}."),
                "host": served[one.name].host,
                "port": served[one.name].port,
                "snmp": {"version": "v2c", "community": f"env:{COMMUNITY_VARIABLE}"},
                **_cli(served[one.name].console, school.care),
            }
            for one in school.switches
        ],
        "links": [
            {
                "id": link.id,
                "tier": link.tier,
                "switch": link.switch,
                "port": served[school.fleet_name(link.switch)].name_of(link),
                "name": link.name,
                **({"room": link.room} if link.room else {}),
            }
            for link in school.links
        ],
        "devices": [
            {"kind": "board", "serial": serial, "room": room, "name": name}
            for serial, room, name in school.boards
        ]
        + [_ups(served[school.ups.name])],
        "local_broker": {"embedded": True, "port": local_port},
        "polling": {
            "state_seconds": pace.state_seconds,
            "counters_seconds": pace.counters_seconds,
            "health_seconds": pace.state_seconds,
            "timeout_seconds": min(pace.state_seconds / 4, 1.0),
            "retries": 1,
        },
        "outbox": {"path": str(outbox), "limit_mb": 64},
        **({"probes": _probes(school, probed, pace)} if probed else {}),
        **({"syslog": {"listen": syslog}} if syslog else {}),
    }


def _cli(console: ConsoleAt | None, care: Care) -> dict[str, object]:
    return {} if console is None else {"cli": repairs.cli_yaml(console, care)}


def _ups(served: Served) -> dict[str, object]:
    return {
        "kind": "ups",
        "serial": UPS,
        "host": served.host,
        "port": served.port,
        "snmp": {"version": "v2c", "community": f"env:{COMMUNITY_VARIABLE}"},
        "feeds": [FED],
    }


def power_cut(school: SchoolPlan, seconds: float) -> dict[str, object]:
    """The control line by which mains fail and the battery of the school lasts ``seconds``."""
    charge = min(seconds / UPS_SECONDS, 1.0)
    return {"ups": school.ups.name, "set": {"mains": False, "charge_ratio": charge}}


def power_back(school: SchoolPlan) -> dict[str, object]:
    """The control line that ends it, with a full battery."""
    return {"ups": school.ups.name, "set": {"mains": True, "charge_ratio": 1.0}}


def boards_fed(school: SchoolPlan) -> tuple[str, ...]:
    """Serials of the boards whose links hang on the switch that the UPS feeds."""
    boards = (board_of(school, link) for link in school.links if link.switch == FED)
    return tuple(one for one in boards if one is not None)


def _probes(
    school: SchoolPlan, probed: Mapping[str, tuple[str, int]], pace: Pace
) -> dict[str, object]:
    """The city's core by the uplink, and each class by its board."""
    targets: list[dict[str, object]] = []
    for link in school.links:
        serial = CORE if link.tier == "uplink" else board_of(school, link)
        if serial is not None and serial in probed:
            host, port = probed[serial]
            targets.append(
                {
                    "name": link.id,
                    "kind": "core" if serial == CORE else "class",
                    "link": link.id,
                    "host": host,
                    "port": port,
                    "interval_seconds": 1.0 if serial == CORE else pace.probe_seconds,
                }
            )
    return {
        "window_seconds": pace.probe_seconds,
        "burst_packets_a_second": BURST_A_SECOND,
        "targets": targets,
    }


def board_of(school: SchoolPlan, link: LinkPlan) -> str | None:
    """The serial of the board in the room ``link`` leads to."""
    return next((serial for serial, room, _ in school.boards if room == link.room), None)


def city_yaml(
    *, schools: Path, data: Path, broker_port: int, http_port: int, calendar: Path | None = None,
    vacation: Path | None = None, cares: Mapping[str, Care] | None = None,
) -> dict[str, object]:  # fmt: skip
    """The city's configuration.

    ``calendar`` and ``vacation``: files of :mod:`firmware_sims.city_calendars`; ``cares``: schools
    by path.
    """
    calendars = {"default": calendar, VACATION: vacation}
    named = {name: str(path) for name, path in calendars.items() if path is not None}
    tiers = {"uplink": {"contract_mbps": 10_000}, "class": {"contract_mbps": 1_000}}
    return {
        **({"calendars": named} if named else {}),
        "schema_version": 1,
        "city": {"id": CITY_ID, "name": CITY_NAME, "name_zh": CITY_NAME_ZH},
        "districts": [
            {"id": slug, "name": name, "name_zh": name_zh} for slug, name, name_zh in DISTRICTS
        ],
        "schools": str(schools),
        "profiles": {
            "default": {"tiers": tiers},
            VACATION: {"tiers": tiers, **repairs.profile_yaml(vacation)},
        },
        "enforcement": repairs.enforcement_yaml(dict(cares or {})),
        "broker": {"embedded": True, "port": broker_port, "host_id": HOST_ID},
        "store": {"path": str(data / "store"), "retention_days": 1},
        "records": {"url": f"sqlite:///{data / 'records.db'}"},
        "http": {"host": "127.0.0.1", "port": http_port, "tls": "off"},
        # Faults last some 25 s here: people should see incidents close, too.
        "incidents": {"clear_seconds": 8, "settle_seconds": 15, "hold_seconds": 4},
    }
