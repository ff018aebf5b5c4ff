"""What city and schools say to each other about heads: there and back, and nothing else."""

import json

import pytest

from tenone.trust.witness import (
    MOST_TOLD,
    Admission,
    HeadRefused,
    WitnessedHead,
    admission_of,
    head_of,
    heard,
    told,
)

HEAD = WitnessedHead(ledger="0f" * 16, seq=7, hash="1e" * 32, at_ns=5, city="binhai")


def test_there_and_back() -> None:
    assert head_of(json.loads(json.dumps(HEAD.as_json()))) == HEAD
    admission = Admission(at_ns=1, entry=2, first=2, by="console:root", reason="disk")
    assert admission_of(json.loads(json.dumps(admission.as_json()))) == admission
    heads, more = heard(told([HEAD] * MOST_TOLD, more=True, refused=0))
    assert ([one.seq for one in heads], more) == ([7] * MOST_TOLD, True)
    assert len(told([HEAD] * MOST_TOLD, more=True, refused=0)) < 40_000


@pytest.mark.parametrize(
    "message",
    [
        "",
        "[]",
        "{}",
        '{"heads": 5, "more": false}',
        '{"heads": [[1, 2, 3, 4]], "more": false}',
        json.dumps({"heads": [["0f" * 16, 2**63, "1e" * 32, 4]], "more": False}),
        json.dumps({"heads": [["0f" * 16, 2, "1e" * 32]], "more": False}),
        json.dumps({"heads": [["0f" * 16, 2, "1e" * 32, 5]] * (MOST_TOLD + 1), "more": False}),
        "[" * 100_000,
    ],
)
def test_what_is_no_list_of_heads(message: str) -> None:
    with pytest.raises(HeadRefused):
        heard(message)
