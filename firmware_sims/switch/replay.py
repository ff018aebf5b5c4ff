"""Recorded devices: ``.snmprec`` files, one ``OID|tag|value`` a line.

The tag is the BER tag as a decimal number; an ``x`` after it says that the value stands in
hexadecimal. ``#`` begins a comment line. ``:numeric`` after a tag (a number that the
recorder let move) is served as its ``initial`` plus ``rate`` a second.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from firmware_sims.switch import ber
from firmware_sims.switch.tree import FixedTree, after

_NUMBERS = frozenset({ber.INTEGER, ber.COUNTER32, ber.GAUGE32, ber.TIMETICKS, ber.COUNTER64})
_OCTETS = frozenset({ber.OCTET_STRING, ber.OPAQUE})
_ADDRESS_OCTETS = 4
_RANGES = {
    ber.INTEGER: (-(2**31), 2**31 - 1),
    ber.COUNTER64: (0, 2**64 - 1),
}
_UNSIGNED32 = (0, 2**32 - 1)


class RecordingError(ValueError):
    """A recording that cannot be served; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One line of a recording."""

    arcs: ber.Arcs
    tag: int
    content: int | bytes | ber.Arcs
    rate: float = 0.0
    """How much a moving number grows a second."""


class Recording(FixedTree):
    """A recorded device; numbers recorded as moving start anew from their initial value."""

    def __init__(self, variables: Iterable[Variable]) -> None:
        held = list(variables)
        super().__init__([_encode(variable) for variable in held])
        moving = {ber.sort_key(variable.arcs): variable for variable in held if variable.rate}
        self._moving = {
            position: moving[key] for position, key in enumerate(self.keys) if key in moving
        }
        self._seconds = 0.0

    def at(self, seconds: float) -> None:
        """Let moving numbers stand where they are ``seconds`` after the start."""
        self._seconds = seconds

    def texts(self, column: ber.Arcs) -> list[str]:
        """The values of a text column, row after row."""
        prefix = ber.sort_key(column)
        found = []
        for position in range(after(self.keys, prefix), len(self.keys)):
            if not self.keys[position].startswith(prefix):
                break
            varbind = self.varbind(position)
            _, start, stop = ber.header(varbind, 0, len(varbind))
            _, _, at = ber.header(varbind, start, stop)
            _, first, last = ber.header(varbind, at, stop)
            found.append(varbind[first:last].decode("utf-8", "replace"))
        return found

    def varbind(self, position: int) -> bytes:
        """See :class:`firmware_sims.switch.tree.Tree`."""
        variable = self._moving.get(position)
        if variable is None or not isinstance(variable.content, int):
            return super().varbind(position)
        low, high = _RANGES.get(variable.tag, _UNSIGNED32)
        grown = variable.content + int(variable.rate * self._seconds)
        return _encode(
            Variable(variable.arcs, variable.tag, low + (grown - low) % (high - low + 1))
        )[1]


def load(path: Path) -> Recording:
    """Read a recording; raises :class:`RecordingError` naming the line, or OSError."""
    variables: dict[ber.Arcs, Variable] = {}
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            text = line.rstrip(b"\n").removesuffix(b"\r")
            if not text.strip() or text.lstrip().startswith(b"#"):
                continue
            try:
                variable = parse_line(text)
            except ValueError as error:
                raise RecordingError(f"{path}:{number}: {error}") from None
            # The first of a repeated OID is kept: it is what the device said first.
            variables.setdefault(variable.arcs, variable)
    if not variables:
        raise RecordingError(f"{path}: holds no variables, so there is nothing to serve")
    return Recording(variables.values())


def parse_line(text: bytes) -> Variable:
    """Read one line; raises ValueError in one sentence without its place."""
    name, first, rest = text.partition(b"|")
    kind, second, raw = rest.partition(b"|")
    if not (first and second):
        raise ValueError("a line is OID|tag|value, and this one has a part missing")
    arcs = _arcs(name)
    tag_text, _, variation = kind.decode("latin-1").partition(":")
    is_hex = tag_text.endswith("x")
    try:
        tag = int(tag_text.removesuffix("x"))
    except ValueError:
        raise ValueError(f"{tag_text!r} is no tag: write a number such as 4, 4x or 65") from None
    if variation:
        return _varying(arcs, tag, variation, raw.decode("latin-1"))
    return Variable(
        arcs,
        tag,
        _content(tag, bytes.fromhex(raw.decode("latin-1")), raw=True)
        if is_hex
        else _content(tag, raw, raw=False),
    )


def _content(tag: int, text: bytes, *, raw: bool) -> int | bytes | ber.Arcs:
    if tag in _OCTETS:
        return text
    if tag == ber.IP_ADDRESS:
        address = text if raw else bytes(int(part) for part in text.split(b"."))
        if len(address) != _ADDRESS_OCTETS:
            raise ValueError(f"an IpAddress has 4 octets, not {len(address)}")
        return address
    if tag == ber.NULL:
        return b""
    if raw:
        raise ValueError(f"a value of tag {tag} cannot stand in hexadecimal")
    if tag == ber.OID:
        return _arcs(text)
    if tag not in _NUMBERS:
        raise ValueError(f"tag {tag} is not a type of SNMP")
    number = int(text)
    low, high = _RANGES.get(tag, _UNSIGNED32)
    if not low <= number <= high:
        raise ValueError(f"{number} is outside {low}..{high}, the range of tag {tag}")
    return number


def _varying(arcs: ber.Arcs, tag: int, variation: str, text: str) -> Variable:
    if variation != "numeric" or tag not in _NUMBERS:
        raise ValueError(f"variation {variation!r} is not known: only numbers as ':numeric' are")
    options = dict(part.split("=", 1) for part in text.split(",") if "=" in part)
    start = int(float(options.get("initial", options.get("offset", options.get("min", "0")))))
    return Variable(arcs, tag, start, float(options.get("rate", "0")))


def _arcs(text: bytes) -> ber.Arcs:
    try:
        arcs = tuple(int(part) for part in text.strip(b". ").split(b"."))
    except ValueError:
        raise ValueError(
            f"{text[:60].decode('latin-1')!r} is no OID: write numbers with dots"
        ) from None
    if len(arcs) > ber.LONGEST_OID or not all(0 <= arc < 2**32 for arc in arcs):
        raise ValueError("an OID has at most 128 arcs of 0..4294967295")
    return arcs


def _encode(variable: Variable) -> tuple[bytes, bytes]:
    return (
        ber.sort_key(variable.arcs),
        ber.tlv(
            ber.SEQUENCE,
            ber.oid(variable.arcs) + ber.value(variable.tag, variable.content),
        ),
    )
