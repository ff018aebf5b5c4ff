"""Cells of CSV files that a spreadsheet must not take for formulas (OWASP ASVS 5.0 1.2.10).

A text that begins with ``=``, ``+``, ``-``, ``@``, tab, carriage return or NUL gets a single quote
in front; so do the full-width signs, which Excel reads as the narrow ones where Chinese or Japanese
is spoken. Numbers stay numbers, written as text too. :func:`plain` takes the quote away again, so
what was written is what is read back.
"""

import re

_FORMULA = re.compile("'*[=+\\-@\t\r\0\uff1d\uff0b\uff0d\uff20]")
_QUOTED = re.compile("'" + _FORMULA.pattern)
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


def cell(value: object) -> object:
    """What to hand to the ``csv`` module for ``value``; None is an empty cell."""
    if value is None:
        return ""
    if not isinstance(value, str) or not _FORMULA.match(value) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def plain(text: str) -> str:
    """What :func:`cell` was given, for texts."""
    return text[1:] if _QUOTED.match(text) else text
