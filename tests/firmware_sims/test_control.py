import json
from collections.abc import Mapping

import pytest

from firmware_sims import control


def handle(command: Mapping[str, object]) -> None:
    control.refuse_others(command, "n")
    control.number(command.get("n"), "n", 0, 9)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b'{"n": 3}', {"ok": True}),
        (b'{"n": 10}', {"ok": False, "error": "'n' must be a number from 0 to 9, not 10"}),
        (b'{"n": NaN}', {"ok": False, "error": "'n' must be a number from 0 to 9, not nan"}),
        (b'{"n": true}', {"ok": False, "error": "'n' must be a number from 0 to 9, not True"}),
        (b'{"m": 1}', {"ok": False, "error": "'m' is not known: use n"}),
    ],
)
def test_lines(line: bytes, answer: object) -> None:
    assert json.loads(control.answer(line, handle)) == answer


@pytest.mark.parametrize("line", [b"", b"nonsense", b"\xff\xfe", b"[1]", b'"text"', b"null"])
def test_what_is_no_command_is_refused_in_one_sentence(line: bytes) -> None:
    answer = json.loads(control.answer(line, handle))
    assert answer["ok"] is False
    assert "\n" not in answer["error"]
