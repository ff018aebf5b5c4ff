"""Requests are cut so that every answer fits one frame, whatever stands around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.snmp import mib
from drivers.snmp.ber import Oid, encode_tlv
from drivers.snmp.chunks import REPLY_BYTES, Chunk, chunk_of, chunks, oid_of
from drivers.snmp.message import Envelope, Message, PduType, Version

NARROW = (*mib.IF_IN_ERRORS,)
envelopes = st.builds(Envelope, st.just(Version.V2C), st.binary(max_size=60), st.integers(0, 250))
names = st.lists(
    st.tuples(st.sampled_from((mib.IF_HC_IN_OCTETS, NARROW)), st.integers(0, 2**31)),
    min_size=1,
    max_size=200,
    unique=True,
)


def largest(chunk: Chunk, envelope: Envelope) -> int:
    """Bytes of the answer if every value has its full width."""
    binds = b"".join(
        encode_tlv(0x30, name + bytes(11 if oid_of(name)[:-1] in mib.WIDE else 7))
        for name, _, _ in chunk.expected
    )
    pdu = encode_tlv(0xA2, bytes(12) + encode_tlv(0x30, binds))
    head = bytes(3) + encode_tlv(0x04, envelope.community)
    return len(encode_tlv(0x30, head + pdu)) + envelope.around


@given(envelopes, names, st.integers(1, 60), st.booleans())
def test_nothing_is_lost_and_every_answer_fits(
    envelope: Envelope, wanted: list[tuple[Oid, int]], most: int, probing: bool
) -> None:
    asked = [((*column, row), slot) for slot, (column, row) in enumerate(wanted)]
    cut = chunks(envelope, asked, most, probing=probing)
    assert [(oid_of(name), slot) for one in cut for name, _, slot in one.expected] == asked
    for one in cut:
        assert 1 <= len(one.expected) <= most
        assert largest(one, envelope) <= REPLY_BYTES
        assert one.probing == probing == (one.recall is None)


@pytest.mark.parametrize(
    ("name", "before"),
    [((1, 3, 6, 7), (1, 3, 6, 6)), ((1, 3, 6, 1), (1, 3, 6, 0)), ((1, 3, 6, 0), (1, 3, 6))],
)
def test_a_probe_asks_for_what_comes_after_the_name_before(name: Oid, before: Oid) -> None:
    envelope = Envelope(Version.V1, b"public")
    (cut,) = chunks(envelope, [(name, 0)], 60, probing=True)
    for one in (cut, chunk_of(envelope, cut.expected, probing=True)):
        message = Message.decode(one.request.stamp(0x0080_0001))
        assert (message.version, message.pdu_type) == (Version.V1, PduType.GET_NEXT)
        assert [bind.name for bind in message.varbinds] == [before]
        assert one.recall is None
