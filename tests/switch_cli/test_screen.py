"""What a terminal would show."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cli.screen import (
    decoded,
    is_echo,
    is_more,
    is_prompt,
    last_line,
    shown,
    without_echo,
)

PROMPT = re.compile(r"(?:^|[\r\n])<[^<>\r\n]{1,40}>\s?\Z")


@pytest.mark.parametrize(
    ("sent", "screen"),
    [
        ("plain\r\ntext\r\n", "plain\ntext\n"),
        ("a\r\r\nb", "a\nb"),
        ("abc\x08\x08X", "aXc"),
        ("--More--" + "\x08" * 8 + " " * 8 + "\x08" * 8 + "next", "next"),
        ("  ---- More ----\x1b[16D                \x1b[16D port", " port"),
        ("--More--\r\x1b[Kport", "port"),
        ("one\rtwo", "two"),
        ("\x1b[?2004h\x1b[01;32mroot\x1b[00m$ ", "root$ "),
        ("\x1b]0;title\x07<SW>", "<SW>"),
        ("abc\x1b[1CX", "abc X"),
        ("\x1b", ""),
        ("a\tb\x00\x07c", "a\tbc"),
        ("x\x1b[99999999999999Dy", "y"),
    ],
)  # fmt: skip
def test_shown(sent: str, screen: str) -> None:
    assert shown(sent).lstrip("\x00") == screen


def test_letters() -> None:
    assert decoded("三年级".encode()) == "三年级"
    assert decoded("三年级".encode("gb18030")) == "三年级"
    assert decoded(b"a\xff") == "a\ufffd"


@given(st.binary(max_size=300))
def test_any_bytes_show_something(data: bytes) -> None:
    screen = shown(decoded(data))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", screen)


def test_endings() -> None:
    assert last_line("a\nb") == "b"
    assert is_prompt("<SW>", PROMPT)
    assert is_prompt("<SW> ", PROMPT)
    for no in ("", " description <SW>x", "<SW>x", "x <SW>"):
        assert not is_prompt(no, PROMPT), no
    assert is_more("  ---- More ----")
    for no in (" description ---- More ----", "more", "--", "-- no more rows here, see below -- x"):
        assert not is_more(no), no
    assert is_echo("disp", "display")
    assert not is_echo("<SW>", "display")
    assert not is_echo("display\n", "display")
    assert without_echo("log\n<SW>display x\na\nb", "display x") == ("log\n<SW>", "a\nb")
    assert without_echo("a\nb", "display x") == ("", "a\nb")
