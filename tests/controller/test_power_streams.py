"""A UPS on its battery, from blocks to verdicts."""

from dataclasses import replace

from controller.state.marks import Marks
from controller.state.measures import Measures
from controller.state.position import START
from controller.state.power_streams import PowerStreams
from tenone.blocks.layout import Layout
from tenone.vocabulary.body import UPS, PowerSource
from tenone.vocabulary.scope import DeviceId
from tenone.vocabulary.states import Cause, Verdict

from .watched import Bench, watched_city


def test_power_explains_a_silent_switch() -> None:
    bench = Bench()
    bench.ups("u1", 1)
    assert bench.judge()["c301"] == ("good", []), "it works, whatever feeds it"
    assert bench.live.clauses(bench.now_ns).deeper[bench.number("c301")] == 1 << Cause.POWER
    bench.give(bench.journal.status(reachable=0, error="no answer"))
    dark = ("bad", ["power", "uplink"])
    assert bench.judge()["c301"] == dark, "its uplink stands on the same switch"
    assert bench.judge()["up"] == ("bad", ["power"])
    bench.ups("u2", 1)
    bench.ups("u1", 0)
    assert bench.judge()["c301"] == dark, "the other one still runs on its battery"
    bench.ups("u2", None)
    assert bench.judge()["c301"] == dark, "it does not say that it stopped"
    bench.ups("u2", 0)
    assert bench.judge()["c301"] == ("unknown", ["switch-silent"])


def test_a_ups_of_nowhere_is_counted() -> None:
    bench = Bench()
    marks, measures = Marks(), Measures(len(bench.live.numbering.links))
    streams = PowerStreams(bench.live.numbering, measures, marks)
    block = bench.journal.block(Layout("ups", ("on_battery",), ("ups",)), "no9/ups/u1", {})
    arrival = bench.journal.arrival(block)
    streams.ups(arrival, DeviceId.parse("no9/ups/u1"), START)
    assert marks.unplanned_total == 1
    assert not measures.on_battery.any()


def test_a_ups_explains_only_what_it_feeds() -> None:
    plan = watched_city()
    edge = replace(plan.switches[0], name="sw2", fed_by=("u2",))
    core = replace(plan.switches[0], fed_by=("u1",))
    links = [replace(one, switch="sw2") if one.link == "c302" else one for one in plan.links]
    bench = Bench(replace(plan, switches=[core, edge, *plan.switches[1:]], links=links))
    measures = bench.live.measures
    bench.ups("u2", 1)
    assert [bool(measures.on_battery[bench.number(one)]) for one in ("up", "c301", "c302")] == [
        False, False, True,
    ]  # fmt: skip
    numbers = bench.live.numbering.ups_number
    assert measures.power[numbers["no1", "u1"]] == Verdict.UNKNOWN, "it has not spoken"
    bench.ups("u1", 1)
    bench.ups("u2", 0)
    assert [bool(measures.on_battery[bench.number(one)]) for one in ("up", "c301", "c302")] == [
        True, True, False,
    ]  # fmt: skip


def test_an_output_switched_off_is_no_mains() -> None:
    bench = Bench()
    layout = Layout("ups", UPS, ("ups",))
    for source, verdict in ((PowerSource.NONE, Verdict.BAD), (PowerSource.BYPASS, Verdict.GOOD)):
        bench.send(layout, "no1/ups/u1", {"on_battery": [0], "power_source": [int(source)]})
        assert bench.live.measures.power[0] == verdict
