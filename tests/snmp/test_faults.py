"""Findings become sentences that quote their evidence."""

import re
from pathlib import Path

from drivers.snmp.faults import AccessFinding, AgentFault, Finding, notes


def test_the_list_is_closed_and_told_apart() -> None:
    assert len({fault.code for fault in AgentFault}) == len(AgentFault)
    for fault in AgentFault:
        assert re.fullmatch(r"[a-z0-9-]+", fault.code)
        assert not fault.sentence.endswith(".")


def test_one_note_a_fault() -> None:
    found = [
        Finding(fault=AgentFault.SPEED_SATURATED, oid=(1, 3, row), raw="4294967295", port=f"x{row}")
        for row in range(7)
    ]
    found.append(Finding(fault=AgentFault.WALK_CUT, oid=(1, 3), raw="why"))
    first, second = notes(found)
    assert "(x0, x1, x2, x3, x4 and 2 more)" in first
    assert first.endswith("[speed-saturated: 1.3.0 = 4294967295]")
    assert second.endswith("unknown. [walk-cut: 1.3 = why]")


def test_every_code_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "agent-faults.md").read_text()
    assert re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE) == [
        fault.code for faults in (AgentFault, AccessFinding) for fault in faults
    ]
