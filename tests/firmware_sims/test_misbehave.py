from typing import Any

import pytest

from firmware_sims.switch import ber
from firmware_sims.switch.agent import Agent
from firmware_sims.switch.flaws import NAMES, flaw
from firmware_sims.switch.misbehave import Behaviour, misbehaving, plain
from firmware_sims.switch.model import Quirk
from firmware_sims.switch.replay import Recording, Variable
from firmware_sims.switch.secured import Trick

COLUMN = (1, 3, 6, 1, 2, 1, 2, 2, 1, 2)
DUPLEX = (1, 3, 6, 1, 2, 1, 10, 7, 2, 1, 19)


@pytest.fixture
def agent() -> Agent:
    return Agent(
        Recording(
            [
                *(Variable((*COLUMN, n), 4, b"port %d" % n) for n in range(1, 11)),
                *(Variable((*DUPLEX, n), 2, 3) for n in range(1, 11)),
            ]
        )
    )


def test_every_behaviour_differs_from_the_truth(agent: Agent, v2c: Any) -> None:
    """Over a few requests; a tenth lost needs more of them."""
    requests = [
        v2c.request(kind, [oid], request_id=n)
        for n in range(30)
        for kind, oid in (
            ("Get", (*COLUMN, 1)),
            ("GetNext", (*COLUMN, 3)),
            ("GetBulk", DUPLEX),
        )
    ]
    truth = [list(plain(agent)(request)) for request in requests]
    for behaviour in Behaviour:
        answer = misbehaving(agent, behaviour)
        assert [list(answer(request)) for request in requests] != truth, behaviour


def test_same_oid_comes_back_for_ever(agent: Agent, v2c: Any) -> None:
    answer = misbehaving(agent, Behaviour.SAME_OID)
    for kind in ("GetNext", "GetBulk"):
        (sent,) = answer(v2c.request(kind, [(*COLUMN, 4)]))
        assert {oid for oid, _, _ in v2c.reply(sent.data)[2]} == {(*COLUMN, 4)}


@pytest.mark.parametrize("kind", ["GetNext", "GetBulk"])
def test_a_cycle_never_leaves_its_three_rows(agent: Agent, v2c: Any, kind: str) -> None:
    answer = misbehaving(agent, Behaviour.CYCLE)
    at, seen = COLUMN, []
    for _ in range(10):
        (sent,) = answer(v2c.request(kind, [at], max_repetitions=4))
        seen += [oid for oid, _, _ in v2c.reply(sent.data)[2]]
        at = seen[-1]
    rows = [(*COLUMN, 1), (*COLUMN, 2), (*COLUMN, 3)]
    assert seen == [rows[n % 3] for n in range(len(seen))]
    assert len(seen) >= 10


@pytest.mark.parametrize(
    ("behaviour", "status", "bindings"),
    [(Behaviour.NO_VARBINDS, 0, 0), (Behaviour.TOO_BIG, 1, 0), (Behaviour.GEN_ERR, 5, 1)],
)
def test_errors(agent: Agent, v2c: Any, behaviour: Behaviour, status: int, bindings: int) -> None:
    (sent,) = misbehaving(agent, behaviour)(v2c.request("Get", [(*COLUMN, 1)]))
    seen = v2c.reply(sent.data)
    assert (seen[0], len(seen[2])) == (status, bindings)


def test_request_id_and_community_are_changed_and_nothing_else(agent: Agent, v2c: Any) -> None:
    request = v2c.request("Get", [(*COLUMN, 1)], request_id=100)
    (true,) = plain(agent)(request)
    (other_id,) = misbehaving(agent, Behaviour.WRONG_REQUEST_ID)(request)
    assert v2c.request_id(other_id.data) == 101
    assert v2c.reply(other_id.data) == v2c.reply(true.data)
    (other_name,) = misbehaving(agent, Behaviour.WRONG_COMMUNITY)(request)
    assert b"not-public" in other_name.data
    assert v2c.reply(other_name.data) == v2c.reply(true.data)


def test_a_long_integer_has_twelve_octets(agent: Agent, v2c: Any) -> None:
    (sent,) = misbehaving(agent, Behaviour.LONG_INTEGER)(v2c.request("Get", [(*COLUMN, 1)]))
    assert ber.tlv(ber.INTEGER, b"\x01" + bytes(11)) in sent.data


def test_datagrams(agent: Agent, v2c: Any) -> None:
    request = v2c.request("GetBulk", [COLUMN])
    (true,) = plain(agent)(request)

    def sent(behaviour: Behaviour) -> list[Any]:
        return list(misbehaving(agent, behaviour)(request))

    assert sent(Behaviour.TRUNCATED)[0].data == true.data[: len(true.data) * 2 // 3]
    assert len(sent(Behaviour.RANDOM_BYTES)[0].data) == len(true.data)
    assert sent(Behaviour.LATE)[0].delay_seconds == 1.5
    assert sent(Behaviour.DUPLICATES) == [true] * 2
    assert sent(Behaviour.COPIES) == [true] * 51
    assert sent(Behaviour.HUGE_LENGTH)[0].data[:6] == b"\x30\x84\x7f\xff\xff\xff"
    assert sent(Behaviour.DEEP_NESTING)[0].data.count(b"\x30") >= 350
    assert sent(Behaviour.ONE_BYTE)[0].data == b"\x30"
    assert sent(Behaviour.OTHER_PORT)[0].from_other_port
    assert sent(Behaviour.SILENT) == []


def test_a_get_answered_with_other_names(agent: Agent, v2c: Any) -> None:
    (sent,) = misbehaving(agent, Behaviour.WRONG_NAME)(v2c.request("Get", [(*COLUMN, 4)]))
    assert [oid for oid, _, _ in v2c.reply(sent.data)[2]] == [(*COLUMN, 5)]


def test_only_the_hanging_subtree_hangs(agent: Agent, v2c: Any) -> None:
    answer = misbehaving(agent, Behaviour.HANGING_SUBTREE)
    assert answer(v2c.request("Get", [(*DUPLEX, 1)])) == ()
    assert answer(v2c.request("GetBulk", [DUPLEX])) == ()
    assert len(answer(v2c.request("GetBulk", [COLUMN]))) == 1


def test_names() -> None:
    assert flaw("cycle") is Behaviour.CYCLE
    assert flaw("hc-stuck") is Quirk.HC_STUCK
    assert flaw("v3-stale-time") is Trick.STALE_TIME
    assert len(NAMES) == len(set(NAMES)) == len(Behaviour) + len(Quirk) + len(Trick)
    with pytest.raises(ValueError, match="use one of copies, cycle"):
        flaw("lazy")
