"""What a terminal would show of the bytes a switch sends, and where an answer ends. No I/O.

Of ECMA-48 and VT100 only what command lines use: back, left, carriage return, erase; the rest of
the control sequences is dropped. Switches overwrite their own ``--More--`` that way, and Huawei
moves the cursor about after each echo.
"""

import re

_SEQUENCE = re.compile(
    r"\x1b(?:\[([0-9;?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])"
)
_MOVES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_MORE = re.compile(r"\s*<?-+\s*\(?more\)?\b[^\r\n]{0,60}?-+>?\s*", re.IGNORECASE)
_FAR = 4096
"""A line of a terminal is not longer; a cursor does not go farther."""


def decoded(data: bytes) -> str:
    """The text: UTF-8, or GB 18030 where it is not (Chinese switches), or with marks for the rest.

    What is cut in the middle of a letter loses that letter only.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


def shown(text: str) -> str:
    r"""What stands on the screen, lines ended by ``\n``."""
    text = text.replace("\r\n", "\n").replace("\r\n", "\n")
    if _MOVES.search(text) is None:
        return text
    return "\n".join(_line(one) for one in text.split("\n"))


def _line(text: str) -> str:
    if _MOVES.search(text) is None:
        return text
    cells: list[str] = []
    at = position = 0
    while position < len(text):
        char = text[position]
        if char == "\x1b":
            found = _SEQUENCE.match(text, position)
            if found is None:  # cut in the middle, or none we know
                position += 1
                continue
            at = _moved(cells, at, found[1] or "", found[2] or "")
            position = found.end()
            continue
        position += 1
        if char == "\x08":
            at = max(at - 1, 0)
        elif char == "\r":
            at = 0
        elif char == "\t" or (char >= " " and char != "\x7f"):
            cells[at : at + 1] = [char]
            at += 1
    return "".join(cells).rstrip(" ") if len(cells) > at else "".join(cells)


def _moved(cells: list[str], at: int, numbers: str, letter: str) -> int:
    """Where the cursor is after a sequence; erases what it erases."""
    first = numbers.partition(";")[0].lstrip("?")
    count = min(int(first), _FAR) if first.isdigit() else 0
    if letter == "D":
        return max(at - max(count, 1), 0)
    if letter == "C":
        to = min(at + max(count, 1), _FAR)
        cells.extend(" " * (to - len(cells)))
        return to
    if letter == "K":
        if count in {0, 2}:
            del cells[at:]
        if count in {1, 2}:
            cells[:at] = " " * at
    return at


def last_line(text: str) -> str:
    """What stands after the last end of a line."""
    return text.rpartition("\n")[2]


def is_prompt(line: str, prompt: re.Pattern[str]) -> bool:
    """Whether the whole ``line`` ends as a prompt does, with nothing behind it."""
    end = len(line.rstrip())
    if not end:
        return False
    return any(found.end() >= end > found.start() for found in prompt.finditer(line))


def is_more(line: str) -> bool:
    """Whether the switch waits for a key before it goes on (``---- More ----``)."""
    return _MORE.fullmatch(line) is not None


def is_echo(text: str, typed: str) -> bool:
    """Whether ``text``, not ended yet, may be the beginning of the echo of what was typed."""
    return "\n" not in text and typed.startswith(text.strip())


def without_echo(text: str, typed: str) -> tuple[str, str]:
    """What came before the echo (normally nothing), and what came after it.

    Without an echo in it, all of it is the answer.
    """
    lines = text.split("\n")
    for number, line in enumerate(lines):
        bare = line.rstrip()
        if typed and bare.endswith(typed):
            early = [*lines[:number], bare.removesuffix(typed)]
            return "\n".join(early), "\n".join(lines[number + 1 :])
    return "", text
