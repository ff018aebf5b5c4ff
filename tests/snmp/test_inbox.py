"""What claims to be an answer: matched, judged, counted."""

from typing import Any

import pytest

from drivers.snmp.ber import encode_oid
from drivers.snmp.errors import DecodeError, SecurityError, SnmpError, UnknownUser
from drivers.snmp.inbox import MAX_RESENDS, SPENT_IDS, Inbox
from drivers.snmp.message import Message, PduType, Version, build_request
from drivers.snmp.pending import Callbacks
from drivers.snmp.target import Device, Target, resolve
from drivers.snmp.v3.user import User
from firmware_sims.switch import usm
from tenone.runtime.clock import ManualClock

NAME = encode_oid((1, 3, 6, 1, 2, 1, 1, 5, 0))
HERE = ("127.0.0.1", 161)


class Bench:
    """An inbox, one waiting request, and what became of it."""

    def __init__(self, device: Device, number: int = 0x0080_0001) -> None:
        self.answered: list[Any] = []
        self.failed: list[SnmpError] = []
        self.again = 0
        self.inbox = Inbox(
            answered=self.answered.append,
            failed=lambda _, error: self.failed.append(error),
            again=self.resend,
        )
        request = build_request(device.envelope, PduType.GET, (NAME,))
        self.pending = Callbacks(device, request, None)
        self.heads: list[Any] = []
        self.pending.on_reply = lambda head, data: self.heads.append((head, data))
        self.pending.on_error = self.failed.append
        self.pending.on_lighter = None
        self.number = self.pending.request_id = number
        self.inbox.waiting[number] = self.pending

    def resend(self, pending: Any) -> None:
        self.again += 1
        assert pending is self.pending

    def take(self, data: bytes, address: Any = HERE) -> dict[str, int]:
        """Take a message; the counts that have moved."""
        before = {name: getattr(self.inbox.counts, name) for name in COUNTED}
        self.inbox.take(data, address, 0)
        after = {name: getattr(self.inbox.counts, name) for name in COUNTED}
        return {name: after[name] - before[name] for name in COUNTED if after[name] != before[name]}


COUNTED = ("late_or_duplicate", "stray", "foreign", "wrong_community", "distrusted", "reports")


def response(number: int, **changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "version": Version.V2C,
        "community": b"public",
        "pdu_type": PduType.RESPONSE,
        "request_id": number,
    }
    return Message(**{**fields, **changes}).encode()


@pytest.fixture
async def plain() -> Bench:
    return Bench(await resolve(Target(host="127.0.0.1", community="public")))


async def test_what_is_no_answer_is_counted_and_the_request_goes_on(plain: Bench) -> None:
    number = plain.number
    assert plain.take(response(number + 1)) == {"stray": 1}
    assert plain.take(response(number), ("127.0.0.1", 162)) == {"foreign": 1}
    assert plain.take(response(number, community=b"privat")) == {"wrong_community": 1}
    assert plain.take(response(number, version=Version.V1)) == {"wrong_community": 1}
    for kind in (PduType.REPORT, PduType.GET, PduType.TRAP):
        assert plain.take(response(number, pdu_type=kind)) == {"stray": 1}
    with pytest.raises(DecodeError):
        plain.inbox.take(b"noise", HERE, 0)
    assert not plain.answered
    assert not plain.heads
    assert plain.take(response(number)) == {}
    assert plain.answered == [plain.pending]
    assert len(plain.heads) == 1
    plain.inbox.spend(number)
    assert plain.take(response(number)) == {"late_or_duplicate": 1}


async def test_ids_are_forgotten_some_day(plain: Bench) -> None:
    for number in range(2 * SPENT_IDS):
        plain.inbox.waiting[number + 10] = plain.pending
        plain.inbox.spend(number + 10)
    assert plain.take(response(10)) == {"stray": 1}
    assert plain.take(response(2 * SPENT_IDS)) == {"late_or_duplicate": 1}


async def test_reports_are_heard_a_few_times_and_never_values() -> None:
    user = User(name="bob")
    bench = Bench(await resolve(Target(host="127.0.0.1", version=Version.V3, user=user)))
    engine = usm.Engine([usm.V3User.parse("bob")], name="sw", clock=ManualClock())
    peer = bench.pending.device.peer
    assert peer is not None
    asked = usm.parse(peer.seal(bench.pending.request, bench.number, 0))
    # By v2c nothing answers a v3 request, though id and address be right.
    assert bench.take(response(bench.number, community=b"")) == {"wrong_community": 1}
    for turn in range(MAX_RESENDS):
        assert bench.take(engine.report(asked, usm.Stat.ENGINE)) == {"reports": 1}
        assert bench.again == turn + 1
    assert peer.engine_id == engine.engine_id
    assert bench.take(engine.report(asked, usm.Stat.ENGINE)) == {"reports": 1}
    assert isinstance(bench.failed.pop(), SecurityError)
    assert bench.take(engine.report(asked, usm.Stat.USER)) == {"reports": 1}
    assert isinstance(bench.failed.pop(), UnknownUser)
    # What answers an earlier id of the same request is too late.
    bench.pending.request_id += 1
    assert bench.take(engine.report(asked, usm.Stat.USER)) == {"late_or_duplicate": 1}
    assert not bench.failed
    assert not bench.answered
    assert not bench.heads


async def test_v3_is_no_answer_to_v2c(plain: Bench) -> None:
    engine = usm.Engine([], name="sw", clock=ManualClock())
    number = b"\x02\x04" + plain.number.to_bytes(4, "big")
    asked = usm.Parsed(number, usm.Level(0), b"", 0, 0, b"", (0, 0), b"", b"")
    assert plain.take(engine.report(asked, usm.Stat.ENGINE)) == {"wrong_community": 1}
