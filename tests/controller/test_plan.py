"""What the plan makes of a configuration: rules and witnesses of links."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.plan import LinkPlan, WitnessPlan, plan_of
from controller.sla.class_minutes import Clause
from controller.sla.rules import DEFAULT_RULES
from tenone.config import load_city

TARGETS = [
    {"name": "core", "kind": "core", "host": "10.0.0.1", "dscp": [46, 0]},
    {"name": "c301", "kind": "class", "link": "c301", "host": "10.0.3.1"},
]
DNS = [{"name": "www.example.edu.cn", "resolvers": ["10.0.0.53"]}]


def links_of(
    folder: Path, *, probes: dict[str, Any] | None = None, tier: dict[str, Any] | None = None
) -> dict[str, LinkPlan]:
    """The links of one school, by id, after its files were read."""
    school = {
        "schema_version": 1,
        "school": {"id": "no1", "name": "No. 1", "district": "east", "city": "binhai"},
        "uplink": {"broker": {"host": "127.0.0.1"}},
        "switches": [{"name": "sw1", "host": "127.0.0.1", "snmp": {"community": "env:C"}}],
        "links": [
            {"id": "up", "tier": "uplink", "switch": "sw1", "port": "X1"},
            {"id": "c301", "tier": "class", "switch": "sw1", "port": "G1"},
            {"id": "c302", "tier": "class", "switch": "sw1", "port": "G2"},
        ],
        "probes": probes or {},
    }
    city = {
        "schema_version": 1,
        "city": {"id": "binhai", "name": "Binhai"},
        "districts": [{"id": "east", "name": "East"}],
        "schools": [school],
        "broker": {"embedded": True},
        "profiles": {
            "default": {
                "tiers": {
                    "uplink": {"contract_mbps": "10G"},
                    "class": {"contract_mbps": "1G"} | (tier or {}),
                }
            }
        },
    }
    path = folder / "city.yaml"
    path.write_text(yaml.safe_dump(city))
    return {link.link: link for link in plan_of(load_city(path)).links}


def test_without_probes_a_link_is_its_port(tmp_path: Path) -> None:
    found = links_of(tmp_path)
    for link in found.values():
        assert link.witness is None
        assert link.rules == DEFAULT_RULES


def test_clauses_are_what_the_schools_probes_measure(tmp_path: Path) -> None:
    found = links_of(tmp_path, probes={"targets": TARGETS, "dns": DNS})
    path = {Clause.LOSS, Clause.JITTER, Clause.RTT}
    assert found["c301"].rules.minute.clauses == {Clause.LINK, Clause.DNS} | path
    assert found["c302"].rules.minute.clauses == {Clause.LINK, Clause.DNS}
    assert found["c301"].witness == WitnessPlan(target="c301", dscp=0)
    assert found["c302"].witness is None
    assert found["up"].witness == WitnessPlan(target="core", dscp=46), "a core's is every uplink's"


@pytest.mark.parametrize(
    ("tier", "field", "value"),
    [
        ({"objectives": {"clauses": ["board"]}}, "clauses", {Clause.BOARD}),
        ({"thresholds": {"rtt_seconds": "5ms"}}, "rtt_ms", 5.0),
        ({"thresholds": {"jitter_seconds": 0.001}}, "ipdv_p95_ms", 1.0),
        ({"thresholds": {"loss_ratio": 0.02}}, "loss_ratio", 0.02),
        ({"thresholds": {"error_ratio": 0.5}}, "error_ratio", 0.5),
        ({"thresholds": {"discard_ratio": 0.5}}, "discard_ratio", 0.5),
        ({"thresholds": {"utilisation_ratio": 0.5}}, "utilisation_ratio", 0.5),
    ],
)
def test_a_profile_sets_them(
    tmp_path: Path, tier: dict[str, Any], field: str, value: object
) -> None:
    rules = links_of(tmp_path, probes={"targets": TARGETS}, tier=tier)["c301"].rules
    owner = rules if hasattr(rules, field) else rules.minute
    assert getattr(owner, field) == value
