"""Where an answer ends: wherever the network cuts it and whatever people typed into a switch."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cli.answering import MAX_BYTES, AnswerError, Answering, check_rest
from drivers.cli.dialect import Ask, Line

PROMPT = re.compile(r"(?:^|[\r\n])(?:<[^<>\s]{1,60}>|\[[^\[\]\s]{1,60}\])\s?\Z")
SHOW = Line("display this")


class Device:
    """Feeds an answer in pieces and answers what is typed after the rest, as a switch does."""

    def __init__(self, line: Line, pieces: list[bytes], prompt: bytes = b"<SW>") -> None:
        self.pieces = list(pieces)
        self.prompt = prompt
        self.typed: list[str] = []
        self.answering = Answering(line, PROMPT)

    def run(self) -> str:
        for _ in range(10_000):
            if self.answering.done:
                return self.answering.answer()
            typed = (
                self.answering.feed(self.pieces.pop(0)) if self.pieces else self.answering.silence()
            )
            if typed is not None:
                self.typed.append(typed)
            if typed == "\n":
                self.pieces.append(b"\r\n" + self.prompt)
        raise AssertionError("never over")


def is_over(reading: Answering) -> bool:
    return reading.done


def answered(*pieces: bytes, line: Line = SHOW) -> str:
    return Device(line, list(pieces)).run()


@pytest.mark.parametrize(
    ("pieces", "answer"),
    [
        ((b"display this\r\n<SW>",), ""),
        ((b"dis", b"play this", b"\r\n", b"<S", b"W>"), ""),
        ((b"display this\r\nport one\r\nport two\r\n<SW>",), "port one\nport two"),
        # A description that is a prompt, and a packet that ends just behind it.
        ((b"display this\r\n#\r\n<SW>", b"\r\n last\r\n<SW>"), "#\n<SW>\n last"),
        ((b"display this\r\n#\r\n<SW>\r\n[SW]", b"\r\nx\r\n<SW>"), "#\n<SW>\n[SW]\nx"),
        # Without an echo.
        ((b"port one\r\n<SW>",), "port one"),
        # A log line over the prompt.
        ((b"display this\r\nx\r\n<SW>\r\n%Jan 1 up\r\n",), "x\n<SW>\n%Jan 1 up"),
        # Huawei's cursor, Cisco's wiped page, letters in GB 18030, letters cut in two, no letters.
        ((b"display this\r\n \x1b[1Dx\r\n<SW>",), "x"),
        ((b"display this\r\n one\r\n", "é".encode()[:1], "é".encode()[1:], b"\r\n<SW>"), " one\né"),
        ((b"display this\r\n", "三班".encode("gb18030"), b"\r\n<SW>"), "三班"),
        ((b"display this\r\na\xff\xfeb\x80\r\n<SW>",), "a\ufffd\ufffdb\ufffd"),
    ],
)
def test_answers(pieces: tuple[bytes, ...], answer: str) -> None:
    assert answered(*pieces) == answer


def test_what_is_typed_is_no_prompt_until_the_line_is_over() -> None:
    line = Line("description <SW>")
    reading = Answering(line, PROMPT)
    assert reading.feed(b"description <SW>") is None
    assert not is_over(reading)
    assert reading.feed(b"\r\n[SW-GE1]") is None
    assert is_over(reading)


@pytest.mark.parametrize(
    "sign",
    [b"---- More ----", b"  ---- More ----", b"--More--", b" --More-- ", b"<--- More --->",
     b"-- MORE --, next page: Space, quit: q --"],
)  # fmt: skip
def test_pages_are_turned(sign: bytes) -> None:
    wiped = b"\r" + b" " * len(sign) + b"\r"
    device = Device(SHOW, [b"display this\r\n 1\r\n" + sign, wiped + b" 2\r\n<SW>"])
    assert device.run().split() == ["1", "2"]
    assert device.typed == [" ", "\n"]


def test_a_page_is_turned_once_while_its_sign_is_wiped() -> None:
    erase = b"\x1b[16D                \x1b[16D"
    device = Device(
        SHOW,
        [b"display this\r\n 1\r\n", b"  ---- More ----", erase[:4], erase[4:], b" 2\r\n<SW>"],
    )
    assert device.run() == " 1\n 2"
    assert device.typed == [" ", "\n"]


def test_questions() -> None:
    line = Line("save", (Ask(r"\[Y/N\]:?\s*$", "Y"), Ask(r"file name", "")))
    reading = Answering(line, PROMPT)
    assert reading.feed(b"save\r\nOverwrite? [Y/N]:") == "Y\n"
    assert reading.feed(b"Y\r\nPlease give the file name") == "\n"
    assert reading.feed(b"\r\nSaved.\r\n<SW>") is None
    assert not is_over(reading), "an empty line might answer one more question: wait and see"
    assert reading.silence() is None
    assert is_over(reading)
    assert "Saved." in reading.answer()


def test_a_switch_that_asks_for_ever() -> None:
    reading = Answering(Line("save", (Ask(r"\[Y/N\]$", "Y"),)), PROMPT)
    for _ in range(8):
        assert reading.feed(b"\r\nSure? [Y/N]") == "Y\n"
    with pytest.raises(AnswerError, match="asked more than 8 times"):
        reading.feed(b"\r\nSure? [Y/N]")


def test_a_question_nobody_foresaw_is_not_answered() -> None:
    reading = Answering(Line("reboot"), PROMPT)
    assert reading.feed(b"reboot\r\nSystem will reboot! Continue? [y/n]:") is None
    assert reading.silence() is None
    assert not is_over(reading)


def test_too_much() -> None:
    reading = Answering(SHOW, PROMPT)
    for _ in range(MAX_BYTES // 50_000):
        reading.feed(b"x" * 50_000)
    with pytest.raises(AnswerError, match="more than 2000000 bytes"):
        reading.feed(b"x")


def test_prompts_without_end() -> None:
    with pytest.raises(AnswerError, match="full of prompts"):
        answered(*[b"x\r\n<SW>"] * 60)


def test_the_rest_of_an_earlier_answer() -> None:
    check_rest("\n<SW>\n<SW>", PROMPT)
    check_rest("\n%LOG something\n", PROMPT)
    with pytest.raises(AnswerError, match="rest of an earlier answer"):
        check_rest(" description x\n<SW>", PROMPT)
    reading = Answering(SHOW, PROMPT, echoes=True)
    assert reading.feed(b"\r\n<SW>") is None
    assert not is_over(reading), "its echo has not come: that was the answer to an empty line"
    reading.feed(b"display this\r\n<SW>")
    assert is_over(reading)
    assert reading.answer() == ""


WORDS = st.sampled_from(
    [
        "<SW>",
        "[SW]",
        "",
        " description <SW>",
        "#",
        "display this",
        "---- x",
        "<SW> ",
        "Error: x",
        "三",
    ]
)


@given(
    body=st.lists(WORDS, max_size=8),
    cuts=st.lists(st.integers(0, 120), max_size=6),
    close=st.booleans(),
)
def test_cut_anywhere(body: list[str], cuts: list[int], close: bool) -> None:
    """All of it comes back; where it cannot, the next line finds out."""
    data = "\r\n".join(["display this", *body, "<SW>"]).encode()
    edges = sorted({0, len(data), *(min(one, len(data)) for one in cuts)})
    device = Device(SHOW, [data[a:b] for a, b in pairwise(edges)])
    got = device.run().split("\n")
    rest = b"".join(device.pieces)
    wanted = [one.rstrip() for one in body if one.strip() not in {"", "<SW>", "[SW]"}]
    same = [one.rstrip() for one in got if one.strip() not in {"", "<SW>", "[SW]"}] == wanted
    if same:
        return
    with pytest.raises(AnswerError, match="rest of an earlier answer"):
        next_line(rest, early=close)


def next_line(rest: bytes, *, early: bool) -> None:
    if early:  # it was there already when the next line was about to be typed
        check_rest(rest.decode().replace("\r\n", "\n"), PROMPT)
    following = Answering(Line("next"), PROMPT, echoes=True)
    following.feed(rest)
    following.feed(b"next\r\n<SW>")
    following.silence()
    following.answer()
