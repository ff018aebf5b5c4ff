"""Which known instances go into one request, so that the answer fits one frame."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from drivers.snmp.ber import Oid, decode_oid, encode_oid
from drivers.snmp.layout import Expected, Recall
from drivers.snmp.message import Envelope, PduType, Request, build_request
from drivers.snmp.mib import WIDE

REPLY_BYTES = 1472
"""UDP payload of an unfragmented Ethernet frame: the largest answer we provoke."""
_ENVELOPE_BYTES = 48
_BIND_BYTES = 2
"""Tag and length of a variable binding."""
_WIDE_VALUE, _NARROW_VALUE = 11, 7
"""A Counter64, a 32-bit number, with tag, length and leading zero."""

_Part = tuple[Request, tuple[Expected, ...]]


@dataclass(slots=True, eq=False)
class Chunk:
    """One GET, what its answer must hold, and how one device last answered it.

    ``recall`` is None for a request that is made up for one sweep alone. ``probing``: it is a
    GETNEXT of what stands just before each name, whose answer says of every name whether it is
    there. An SNMPv1 agent says that of one name a GET, and answers none of the others then.
    """

    request: Request
    expected: tuple[Expected, ...]
    recall: Recall | None = None
    probing: bool = False


def chunks(
    envelope: Envelope,
    wanted: Iterable[tuple[Oid, int]],
    max_varbinds: int,
    *,
    probing: bool = False,
) -> tuple[Chunk, ...]:
    """Cut ``wanted`` (name, slot) into GETs whose answers fit :data:`REPLY_BYTES`.

    Switches of one make have the same rows: what they are asked is built and kept once.
    """
    parts = _cut(envelope, tuple(wanted), max_varbinds, probing=probing)
    return tuple(Chunk(*part, None if probing else Recall(), probing) for part in parts)


@lru_cache(maxsize=512)
def _cut(
    envelope: Envelope, wanted: tuple[tuple[Oid, int], ...], max_varbinds: int, *, probing: bool
) -> tuple[_Part, ...]:
    found: list[_Part] = []
    part: list[Expected] = []
    room = REPLY_BYTES - _ENVELOPE_BYTES - len(envelope.community) - envelope.around
    left = room
    for oid, slot in wanted:
        name = encode_oid(oid)
        need = _BIND_BYTES + len(name) + (_WIDE_VALUE if oid[:-1] in WIDE else _NARROW_VALUE)
        if part and (need > left or len(part) >= max_varbinds):
            found.append(_part(envelope, part, probing=probing))
            part = []
            left = room
        part.append((name, len(name), slot))
        left -= need
    if part:
        found.append(_part(envelope, part, probing=probing))
    return tuple(found)


def _part(envelope: Envelope, expected: Sequence[Expected], *, probing: bool) -> _Part:
    names = tuple(_before(name) if probing else name for name, _, _ in expected)
    kind = PduType.GET_NEXT if probing else PduType.GET
    return build_request(envelope, kind, names), tuple(expected)


def _before(name: bytes) -> bytes:
    """An encoded name after which nothing comes before ``name`` in a table of one index."""
    oid = oid_of(name)
    return encode_oid((*oid[:-1], oid[-1] - 1) if oid[-1] else oid[:-1])


@lru_cache(maxsize=16_384)
def oid_of(name: bytes) -> Oid:
    """The object identifier of an encoded name of ours, whose length is in short form."""
    return decode_oid(name, 2, len(name))


def chunk_of(envelope: Envelope, expected: Sequence[Expected], *, probing: bool = False) -> Chunk:
    """A request for one sweep alone."""
    return Chunk(*_part(envelope, expected, probing=probing), None, probing)
