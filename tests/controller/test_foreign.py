"""Texts of agents that are meant to stop whoever reads them."""

import json

import pytest

from controller.foreign import read_foreign


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        "[" * 4096,
        "[" * 900 + "]" * 900 + "x",
        "1" + "0" * 400,
        '{"metres": 1' + "0" * 400 + "}",
        "NaN",
        "[-Infinity]",
        "1e999",
        r'["\ud800"]',
        r'{"\udfff": 1}',
        r'["a\u0000b"]',
    ],
)
def test_what_would_stop_the_reader_is_no_value(text: str) -> None:
    with pytest.raises(ValueError):
        read_foreign(text)


@pytest.mark.parametrize("said", [[], {"pair": "A", "metres": 12.5}, ["电缆", -7, None, True]])
def test_all_else_is_read(said: object) -> None:
    assert read_foreign(json.dumps(said)) == said
