"""Streams of switches: who they are about, and which block shows a link."""

from controller.state.marks import Marks
from controller.state.position import START
from controller.state.switch_streams import SwitchStreams
from tenone.vocabulary.scope import DeviceId

from .watched import Bench


def test_a_switch_nobody_planned_is_counted_and_has_no_block() -> None:
    bench = Bench()
    live, marks = bench.live, Marks()
    streams = SwitchStreams(
        live.numbering,
        ports=live.ports,
        links=live.links,
        switches=live.switches,
        counters=live.counters,
        marks=marks,
    )
    arrival = bench.journal.arrival(bench.journal.ports(switch="other"))
    streams.port_state(arrival, DeviceId.parse("no1/switch/other"), START)
    streams.port_counters(arrival, DeviceId.parse("no1/switch/other"), START)
    assert marks.unplanned_total == 2
    assert streams.block_of(bench.number("c301")) is None
    arrival = bench.journal.arrival(bench.journal.ports())
    streams.port_state(arrival, DeviceId.parse("no1/switch/sw1"), START)
    assert streams.block_of(bench.number("c301")) is arrival.block
