"""Counts what the ledger was told of reads of personal data, for tests of what reads any.

``reads at the database == reads_told(folder)`` is the test of TRUST.md section 5: count the reads
where they happen, and compare.
"""

import json
from collections import Counter
from pathlib import Path

from controller.trust.verify import rows_of

ACT = "personal.read"


def reads_told(folder: Path, outcome: str = "done") -> Counter[tuple[str, str]]:
    """How often who (actor) read whom (subject)."""
    bodies = (json.loads(row.body) for row in rows_of(folder))
    return Counter(
        (body["actor"], body["subject"])
        for body in bodies
        if body["act"] == ACT and body["outcome"] == outcome
    )
