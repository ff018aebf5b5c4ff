from hypothesis import given
from hypothesis import strategies as st

from agents import findings
from drivers.snmp.faults import AgentFault, Finding
from tenone.blocks.layout import layout
from tenone.vocabulary.findings import FINDINGS

ANY = st.builds(
    Finding,
    fault=st.sampled_from(AgentFault),
    oid=st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=20).map(tuple),
    raw=st.text(max_size=2_000),
    port=st.none() | st.text(min_size=1, max_size=20),
)


def finding(fault: AgentFault, port: str | None, raw: str = "1") -> Finding:
    return Finding(fault=fault, oid=(1, 3, 6), raw=raw, port=port)


def test_one_row_a_fault_and_port_the_first_sighting_stands() -> None:
    found = findings.by_key(
        [
            finding(AgentFault.OPER_INVALID, "b", "9"),
            finding(AgentFault.OPER_INVALID, "b", "8"),
            finding(AgentFault.OPER_INVALID, None),
            finding(AgentFault.ADMIN_INVALID, "a"),
        ]
    )
    assert list(found) == ["admin-invalid@a", "oper-invalid", "oper-invalid@b"]
    assert found["oper-invalid@b"].raw == "9"


@given(st.lists(ANY, max_size=30))
def test_any_findings_are_a_block(some: list[Finding]) -> None:
    found = findings.by_key(some)
    columns = findings.columns(found.values())
    made = layout(findings.STREAM, FINDINGS, tuple(found))
    assert [column.rows for column in columns] == [len(made.rows)] * len(FINDINGS)
    assert {one.fault for one in some} == {one.fault for one in found.values()}
