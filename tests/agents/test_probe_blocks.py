import pytest

from agents import probe_blocks
from agents.probe_blocks import BURST_PART, Owners, burst_columns, sample_columns
from drivers.probe.dns import DnsSample
from drivers.probe.http import HttpSample
from drivers.probe.path import HopSample
from drivers.probe.sender import Sample
from tenone.blocks.columns import Column
from tenone.config.probes import NetworkOwner, Probes
from tenone.vocabulary.probes import DnsOutcome, HopOutcome, HttpOutcome, ProbeOutcome


def values(columns: list[Column]) -> dict[str, list[object]]:
    return {column.metric.name: list(column) for column in columns}


ANSWERED = Sample(
    sequence=7,
    dscp_sent=46,
    sent_ns=5_000_000,
    wall_ns=0,
    outcome=ProbeOutcome.ANSWERED,
    away_ns=2_999_999_999,
    held_ns=40,
    forward_ns=-5,
    dscp_there=0,
    dscp_back=10,
    duplicates=2,
)
LOST = Sample(sequence=8, dscp_sent=0, sent_ns=6_000_000, wall_ns=0, outcome=ProbeOutcome.LOST)


def test_what_is_not_known_is_not_zero() -> None:
    found = values(sample_columns([ANSWERED, LOST, ProbeOutcome.NO_ADDRESS, None], 3_000_000))
    assert found == {
        "probe_sequence": [7, 8, None, None],
        "probe_offset_us": [2000, 3000, None, None],
        "probe_outcome": [1, 2, 4, None],
        "probe_away_ns": [2_999_999_999, None, None, None],
        "probe_held_ns": [40, None, None, None],
        "probe_forward_ns": [-5, None, None, None],
        "probe_dscp_sent": [46, 0, None, None],
        "probe_dscp_there": [0, None, None, None],
        "probe_dscp_back": [10, None, None, None],
        "probe_duplicates": [2, 0, None, None],
    }


def test_a_part_of_a_burst_has_all_rows() -> None:
    found = values(burst_columns("core", [LOST], 0))
    assert found["probe_target"] == ["core", *[None] * (BURST_PART - 1)]
    assert found["probe_outcome"] == [2, *[None] * (BURST_PART - 1)]


def test_names_and_platforms() -> None:
    found = values(
        probe_blocks.dns_columns(
            [DnsSample(outcome=DnsOutcome.TIMEOUT), DnsSample(outcome=DnsOutcome.ANSWERED,
             time_ns=1_234_567, rcode=0, answers=1, answer="10.0.0.1")]
        )
    )  # fmt: skip
    assert found["dns_time_us"] == [None, 1234]
    assert found["dns_answer"] == [None, "10.0.0.1"]
    sample = HttpSample(outcome=HttpOutcome.NO_CONNECTION, dns_ns=5000, error="refused")
    found = values(probe_blocks.http_columns([sample]))
    assert (found["http_dns_us"], found["http_connect_us"]) == ([5], [None])
    assert (found["http_status"], found["http_error"]) == ([None], ["refused"])


def test_the_narrowest_network_names_the_owner() -> None:
    owners = [
        NetworkOwner(network="10.0.0.0/8", owner="city"),
        NetworkOwner(network="10.1.0.0/16", owner="school"),
        NetworkOwner(network="fd00::/8", owner="six"),
    ]
    label = Owners(owners)
    assert [label.of(a) for a in ("10.1.2.3", "10.2.0.1", "8.8.8.8", "fd00::1", None)] == [
        "school",
        "city",
        None,
        "six",
        None,
    ]
    hop = HopSample(ttl=1, number=0, outcome=HopOutcome.TRANSIT, address="10.1.0.1", rtt_ns=2500)
    found = values(probe_blocks.hop_columns([hop, HopSample(ttl=2, number=0)], owners))
    assert found["hop_owner"] == ["school", None]
    assert found["hop_rtt_us"] == [2, None]
    assert found["hop_outcome"] == [1, None]


@pytest.mark.parametrize(
    ("probes", "streams"),
    [
        ({}, []),
        (
            {"targets": [{"name": "core", "host": "10.0.0.1"}]},
            ["probe-samples", "probe-burst", "probe-targets"],
        ),
        (
            {
                "dns": [{"name": "x.cn", "type": "AAAA", "resolvers": ["10.0.0.53"]}],
                "platforms": [{"id": "exam", "url": "http://x.cn/", "path": True}],
                "path_hops": 2,
                "path_packets": 1,
            },
            ["dns-samples", "http-samples", "path-hops"],
        ),
    ],
)
def test_layouts_are_those_that_are_configured(
    probes: dict[str, object], streams: list[str]
) -> None:
    config = Probes.model_validate(probes)
    found = probe_blocks.layouts(config, ["core/0"])
    assert [layout.stream for layout in found] == streams
    if "path-hops" in streams:
        assert found[0].rows == ("x.cn/AAAA@10.0.0.53",)
        assert found[2].rows == ("exam/1/0", "exam/2/0")


def test_fifty_classes_and_a_core_are_small() -> None:
    """Well below one block a second, and a block of a few kilobytes."""
    from agents.probe_plan import Plan  # noqa: PLC0415 - only here

    targets = [{"name": "core", "host": "10.0.0.1", "kind": "core"}] + [
        {"name": f"class-{n}", "host": f"10.0.1.{n}"} for n in range(50)
    ]
    probes = Probes.model_validate({"targets": targets})
    plan = Plan.of(probes)
    columns = sample_columns([ANSWERED] * len(plan.rows), 0)
    size = sum(len(column.data) + len(column.validity) for column in columns)
    assert len(plan.rows) == 65
    assert size < 2_500
    assert probes.window_seconds == 15
