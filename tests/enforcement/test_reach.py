"""Random schools: nothing that guards admit cuts a switch or the gateway off, or exceeds a cap."""

from dataclasses import dataclass, field
from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.enforcement.guards import Facts, Hours, Target, Wanted, held
from controller.enforcement.reach import Bound, Cable, Network, PortRef, Reach, reach_of
from tenone.config.enforcement import Caps
from tenone.vocabulary.intents import Intent, Mode
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Tier

SCHOOLS = {name: ScopePath.parse(f"binhai/east/{name}") for name in ("no1", "no2")}
CITY = PortRef("the city", "")
GATEWAY = PortRef("the gateway", "")
MOST_SWITCHES = 6


@dataclass
class School:
    """What is there, and what is known of it."""

    wires: list[tuple[PortRef, PortRef]] = field(default_factory=list)
    """Every cable that carries the controller's path: between switches, to city and gateway."""
    ports: dict[str, set[str]] = field(default_factory=dict)
    network: Network = field(default_factory=Network)

    def new_port(self, switch: str) -> PortRef:
        number = len(self.ports[switch])
        self.ports[switch].add(f"p{number}")
        return PortRef(switch, f"p{number}")

    def reached(self, cut: set[PortRef]) -> set[str]:
        """What the city reaches once these ports are dead."""
        found = {CITY.switch}
        while True:
            more = {
                end.switch
                for wire in self.wires
                if not cut & set(wire) and {one.switch for one in wire} & found
                for end in wire
            }
            if more <= found:
                return found
            found |= more


@st.composite
def schools(draw: st.DrawFn) -> School:
    school = School()
    names = [f"s{number}" for number in range(draw(st.integers(1, MOST_SWITCHES)))]
    school.ports = {name: set() for name in names}
    cables: list[Cable] = []
    bound: list[Bound] = []

    def bind(at: PortRef, tier: Tier) -> None:
        bound.append(Bound(at=at, link=f"no1/l{len(bound)}", tier=tier))

    def wire(one: str, other: str) -> None:
        a, b = school.new_port(one), school.new_port(other)
        school.wires.append((a, b))
        for near, far in ((a, b), (b, a)):
            if draw(st.booleans()):
                port = far.port if draw(st.booleans()) else None
                cables.append(Cable(near=near, far=far.switch, far_port=port))
                if draw(st.integers(0, 3)) == 0:
                    bind(near, Tier.CLASS)  # the inventory is wrong, and the network says so
            elif draw(st.integers(0, 3)) == 0:
                bind(near, Tier.BACKBONE)

    for number, name in enumerate(names[1:], 1):
        wire(name, names[draw(st.integers(0, number - 1))])
    for _ in range(draw(st.integers(0, 3))):
        one, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        if one != other:
            wire(one, other)
    for _ in range(draw(st.integers(1, 2))):
        at = school.new_port(draw(st.sampled_from(names)))
        school.wires.append((CITY, at))
        bind(at, Tier.UPLINK)
    gateway = school.new_port(draw(st.sampled_from(names)))
    school.wires.append((GATEWAY, gateway))
    protected = frozenset({gateway}) if draw(st.booleans()) else frozenset()
    for name in names:
        for _ in range(draw(st.integers(0, 2))):
            bind(school.new_port(name), draw(st.sampled_from([Tier.CLASS, Tier.WIFI])))
        school.new_port(name)  # one that nobody bound, with nothing behind it
    school.network = Network(
        switches=frozenset(names),
        cables=tuple(cables),
        bound=tuple(bound),
        protected=protected,
    )
    return school


@st.composite
def plans(draw: st.DrawFn, school: School) -> Wanted:
    name = draw(st.sampled_from(sorted(SCHOOLS)))
    every = sorted(
        Target(other, switch, port)
        for other in SCHOOLS
        for switch, ports in school.ports.items()
        for port in ports
    )
    mine = [one for one in every if one.school == name]
    few = draw(st.sets(st.sampled_from(every if draw(st.integers(0, 5)) == 0 else mine),
                       min_size=1, max_size=draw(st.sampled_from([1, 1, 1, 2]))))  # fmt: skip
    return Wanted(
        intent=draw(st.sampled_from(sorted(Intent))),
        scope=SCHOOLS[name],
        targets=frozenset(few),
        automatic=draw(st.booleans()),
    )


def facts(school: School, reach: Reach, admitted: list[Wanted], wanted: Wanted) -> Facts:
    """As the room hands them over: what was admitted counts from then on."""
    return Facts(
        mode=Mode.AUTO,
        reach=reach,
        ports={switch: frozenset(ports) for switch, ports in school.ports.items()},
        offered=frozenset(Intent),
        hours=Hours.FREE,
        today=date(2026, 11, 23),
        caps=Caps(changes_a_day=3, at_once_in_a_district=5),
        changes_today=sum(
            one.school == wanted.school and one.intent is not Intent.SAVE_CONFIGURATION
            for one in admitted
        ),
        under_way=[target for one in admitted for target in one.targets],
    )


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_the_controller_always_keeps_its_path(data: st.DataObject) -> None:
    school = data.draw(schools())
    reach = reach_of(school.network)
    everything = school.reached(set())
    admitted: list[Wanted] = []
    for wanted in data.draw(st.lists(plans(school), min_size=1, max_size=12)):
        if not held(wanted, facts(school, reach, admitted, wanted)):
            admitted.append(wanted)
    for one in admitted:
        assert len(one.targets) == 1  # one port, so one switch of one school
        assert {target.school for target in one.targets} == {one.school}
    for name in SCHOOLS:
        mine = [one for one in admitted if one.school == name]
        cut = {target.ref for one in mine for target in one.targets}
        assert school.reached(cut) == everything  # all of them at once, and for good
        changes = [one for one in mine if one.intent is not Intent.SAVE_CONFIGURATION]
        assert len(changes) <= 3
        switches = [target.switch for one in mine for target in one.targets]
        assert len(switches) == len(set(switches))  # one at a time on each
        for switch in switches:
            assert not reach.related[switch] & set(switches)  # and on what hangs on it
    assert len(admitted) <= 5


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_one_port_that_is_admitted_is_harmless(data: st.DataObject) -> None:
    """Every port of a random school by itself, with an empty book."""
    school = data.draw(schools())
    reach = reach_of(school.network)
    everything = school.reached(set())
    free = set()
    for switch, ports in school.ports.items():
        for port in ports:
            wanted = Wanted(
                intent=Intent.QUARANTINE,
                scope=SCHOOLS["no1"],
                targets=frozenset({Target("no1", switch, port)}),
                automatic=False,
            )
            if not held(wanted, facts(school, reach, [], wanted)):
                free.add(PortRef(switch, port))
    assert school.reached(free) == everything
    classes = {one.at for one in school.network.bound if one.tier in {Tier.CLASS, Tier.WIFI}}
    trunks = {one.near for one in school.network.cables}
    far = {PortRef(one.far, one.far_port) for one in school.network.cables
           if one.far is not None and one.far_port is not None}  # fmt: skip
    assert classes - trunks - far <= free  # and what is known to be a classroom is not held back


def test_two_ends_that_hear_each_other_may_be_of_two_cables() -> None:
    """Found by the test above: a second cable between them had nobody's name on it."""
    a1, b2 = PortRef("a", "1"), PortRef("b", "2")
    network = Network(
        switches=frozenset({"a", "b"}), cables=(Cable(near=a1, far="b"), Cable(near=b2, far="a"))
    )
    assert reach_of(network).vague == {"a", "b"}
    named = Network(
        switches=frozenset({"a", "b"}),
        cables=(Cable(near=a1, far="b", far_port="2"), Cable(near=b2, far="a")),
    )
    assert reach_of(named).vague == frozenset()


def test_parallel_cables_that_each_end_knows_half_of() -> None:
    """Each hears the other on one cable, and neither knows the port of the other's."""
    a1, b2 = PortRef("a", "1"), PortRef("b", "2")
    network = Network(
        switches=frozenset({"a", "b"}),
        cables=(
            Cable(near=a1, far="b"),
            Cable(near=PortRef("a", "3"), far="b"),
            Cable(near=b2, far="a"),
        ),
    )
    assert reach_of(network).vague == {"a", "b"}


def test_what_is_above_and_below() -> None:
    network = Network(
        switches=frozenset({"core", "left", "right", "below", "lost"}),
        cables=(
            Cable(near=PortRef("core", "1"), far="left", far_port="1"),
            Cable(near=PortRef("core", "2"), far="right", far_port="1"),
            Cable(near=PortRef("left", "2"), far="below", far_port="1"),
        ),
        bound=(Bound(at=PortRef("core", "9"), link="no1/up", tier=Tier.UPLINK),),
        protected=frozenset({PortRef("core", "8")}),
    )
    related = reach_of(network).related
    assert related["below"] == {"left", "core", "lost"}
    assert related["core"] == {"left", "right", "below", "lost"}
    assert related["right"] == {"core", "lost"}
    assert related["lost"] == {"core", "left", "right", "below"}
    assert "lost" in reach_of(network).blind
