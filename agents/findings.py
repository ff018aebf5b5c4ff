"""The ``findings`` stream: what the reader of a device found wrong with it, as rows."""

from collections.abc import Iterable

from drivers.snmp.faults import Finding
from tenone.blocks.columns import Column
from tenone.vocabulary.findings import FINDINGS

STREAM = "findings"
MAX_FINDINGS = 2_000
"""Rows of one device: past that more of the same says nothing new."""


def by_key(findings: Iterable[Finding]) -> dict[str, Finding]:
    """The first finding of each fault and port, by row key, in the keys' order.

    A key is the fault's code, then ``@`` and the port key where it is about a port. Raw values
    move with every sweep, so they are no part of it.
    """
    found: dict[str, Finding] = {}
    for finding in findings:
        code = finding.fault.code
        key = code if finding.port is None else f"{code}@{finding.port}"
        found.setdefault(key, finding)
    return {key: found[key] for key in sorted(found)[:MAX_FINDINGS]}


def columns(findings: Iterable[Finding]) -> tuple[Column, ...]:
    """The columns of ``FINDINGS``."""
    rows = [
        (one.fault.code, one.port, one.fault.sentence, one.evidence[:1_000]) for one in findings
    ]
    return tuple(
        Column.of(name, [row[place] for row in rows]) for place, name in enumerate(FINDINGS)
    )
