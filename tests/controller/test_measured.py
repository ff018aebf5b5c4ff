"""Measures of one link as a value: NaN and NEVER are None."""

from controller.state.columns import Links
from controller.state.measured import measured_view
from controller.state.measures import Measures
from controller.store.protocols import NS
from controller.views import MeasuredView
from tenone.vocabulary.states import Verdict

from .watched import Bench


def test_nothing_is_measured_at_first() -> None:
    bench = Bench()
    measures, links = bench.live.measures, bench.live.links
    assert measured_view(measures, links, 0, 5) == MeasuredView()


def test_each_figure_has_its_age() -> None:
    measures, links = Measures(1), Links(1)
    measures.utilisation_in_ratio[0] = 0.25
    measures.counters_ns[0] = 3 * NS
    measures.rtt_ms[0] = 12.0
    measures.loss_packets[0] = 7
    measures.probed_ns[0] = 9 * NS
    measures.dns[0] = Verdict.BAD
    view = measured_view(measures, links, 0, 10 * NS)
    assert (view.utilisation_in_ratio, view.counters_age_seconds) == (0.25, 7.0)
    assert (view.rtt_seconds, view.loss_packets, view.probes_age_seconds) == (0.012, 7, 1.0)
    assert (view.dns_answers, view.utilisation_out_ratio, view.dns_age_seconds) == (
        False,
        None,
        None,
    )
