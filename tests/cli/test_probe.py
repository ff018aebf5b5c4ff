"""What the summary of ``tenone probe`` says; the command itself runs in test_reflector.py."""

from drivers.probe.sender import Sample
from tenone.cli.probe import sentence, summary
from tenone.vocabulary.probes import ProbeOutcome


def packet(sequence: int, away_us: int | None, held_us: int = 100) -> Sample:
    lost = away_us is None
    return Sample(
        sequence=sequence,
        dscp_sent=0,
        sent_ns=0,
        wall_ns=0,
        outcome=ProbeOutcome.LOST if lost else ProbeOutcome.ANSWERED,
        away_ns=None if away_us is None else away_us * 1000,
        held_ns=None if lost else held_us * 1000,
    )


def test_delay_is_without_the_reflectors_time_and_jitter_skips_what_was_lost() -> None:
    samples = [packet(0, 1100), packet(1, 1300), packet(2, None), packet(3, 5100)]
    found = summary([*samples, Sample(sequence=4, dscp_sent=0, sent_ns=0, wall_ns=0,
                                      outcome=ProbeOutcome.NOT_SENT)])  # fmt: skip
    assert found == {
        "sent": 4,
        "received": 3,
        "lost": 1,
        "loss_ratio": 0.25,
        "duplicates": 0,
        "delay_min_us": 1000,
        "delay_median_us": 1200,
        "delay_max_us": 5000,
        "ipdv_p95_us": 200,
        "pdv_us": 4000,
    }
    assert sentence(found) == (
        "4 sent, 1 lost; round trip 1000.0 / 1200.0 / 5000.0 us (least, median, most); "
        "jitter 200.0 us (P95)"
    )


def test_nothing_came_back() -> None:
    found = summary([packet(0, None)])
    assert (found["loss_ratio"], found["delay_min_us"], found["pdv_us"]) == (1.0, None, None)
    assert sentence(found) == "1 sent, 1 lost"
