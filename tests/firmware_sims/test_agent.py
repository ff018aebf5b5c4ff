from typing import Any

import pytest

from firmware_sims.switch.agent import LARGEST_REPLY, SMALLEST_MAX_REPLY, Agent
from firmware_sims.switch.replay import Recording, Variable

ENTRY = (1, 3, 6, 1, 2, 1, 2, 2, 1)
NAME, COUNT, WIDE = (*ENTRY, 2), (*ENTRY, 10), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6)
ROWS = 60


def device() -> Recording:
    """Three columns of sixty rows: text, Counter32, Counter64."""
    return Recording(
        [
            *(Variable((*NAME, n), 4, f"Gi0/{n}".encode()) for n in range(1, ROWS + 1)),
            *(Variable((*COUNT, n), 65, n * 1000) for n in range(1, ROWS + 1)),
            *(Variable((*WIDE, n), 70, n * 10**12) for n in range(1, ROWS + 1)),
        ]
    )


@pytest.fixture
def agent() -> Agent:
    return Agent(device())


def test_get_of_what_is_there_and_what_is_not(agent: Agent, v2c: Any) -> None:
    asked = [(*NAME, 3), (*NAME, 99), (*ENTRY, 77, 1), (*WIDE, 60)]
    status, _, bound = v2c.reply(agent.answer(v2c.request("Get", asked)))
    assert status == 0
    assert [oid for oid, _, _ in bound] == asked
    assert [kind for _, kind, _ in bound] == [
        "OctetString",
        "NoSuchInstance",
        "NoSuchObject",
        "Counter64",
    ]
    assert bound[0][2] == b"Gi0/3"
    assert int(bound[3][2]) == 60 * 10**12


def test_getnext_steps_over_columns_and_ends(agent: Agent, v2c: Any) -> None:
    asked = [(1, 3), (*NAME, ROWS), (*WIDE, ROWS)]
    _, _, bound = v2c.reply(agent.answer(v2c.request("GetNext", asked)))
    assert [(oid, kind) for oid, kind, _ in bound] == [
        ((*NAME, 1), "OctetString"),
        ((*COUNT, 1), "Counter32"),
        ((*WIDE, ROWS), "EndOfMibView"),
    ]


def test_getbulk_interleaves_columns_row_by_row(agent: Agent, v2c: Any) -> None:
    asked = [(1, 3, 6, 1, 2), NAME, COUNT]
    request = v2c.request("GetBulk", asked, non_repeaters=1, max_repetitions=3)
    _, _, bound = v2c.reply(agent.answer(request))
    assert [oid for oid, _, _ in bound] == [
        (*NAME, 1),
        *(oid for row in (1, 2, 3) for oid in ((*NAME, row), (*COUNT, row))),
    ]


@pytest.mark.parametrize("max_reply", [SMALLEST_MAX_REPLY, 700, 1472, 9000])
@pytest.mark.parametrize("columns", [1, 3])
def test_getbulk_fills_the_reply_and_no_more(v2c: Any, max_reply: int, columns: int) -> None:
    agent = Agent(device(), max_reply=max_reply)
    asked = [NAME, COUNT, WIDE][:columns]
    reply = agent.answer(v2c.request("GetBulk", asked, max_repetitions=1000))
    assert reply is not None
    assert len(reply) <= max_reply
    _, _, bound = v2c.reply(reply)
    if max_reply < 9000:
        assert len(reply) > max_reply - 40  # another binding would not have fitted
    expected = [oid for row in range(1, ROWS + 1) for oid in [(*c, row) for c in asked]]
    if columns == 3:
        assert [oid for oid, _, _ in bound][: 3 * ROWS] == expected[: len(bound)]


def test_getbulk_past_the_end_names_the_last_variable_once_and_stops(
    agent: Agent, v2c: Any
) -> None:
    request = v2c.request("GetBulk", [(*WIDE, ROWS - 2)], max_repetitions=50)
    _, _, bound = v2c.reply(agent.answer(request))
    assert [(oid[-1], kind) for oid, kind, _ in bound] == [
        (ROWS - 1, "Counter64"),
        (ROWS, "Counter64"),
        (ROWS, "EndOfMibView"),
    ]


@pytest.mark.parametrize(
    ("non_repeaters", "repetitions", "bindings"),
    [(-1, 2, 4), (9, 2, 2), (0, 0, 0), (0, -5, 0), (1, 0, 1)],
)
def test_odd_bulk_numbers(
    agent: Agent, v2c: Any, non_repeaters: int, repetitions: int, bindings: int
) -> None:
    # pysnmp refuses to write negative numbers, so they are put in by hand.
    request = v2c.request("GetBulk", [NAME, COUNT], non_repeaters=111, max_repetitions=112)
    for placeholder, number in ((111, non_repeaters), (112, repetitions)):
        octets = b"\x02\x01" + number.to_bytes(1, "big", signed=True)
        request = request.replace(bytes((2, 1, placeholder)), octets)
    assert len(v2c.reply(agent.answer(request))[2]) == bindings


def test_get_too_large_is_too_big_without_bindings(agent: Agent, v2c: Any) -> None:
    asked = [(*column, n) for column in (NAME, COUNT) for n in range(1, ROWS + 1)]
    assert v2c.reply(agent.answer(v2c.request("Get", asked)))[::2] == (1, [])
    fits = v2c.reply(agent.answer(v2c.request("Get", asked[:40])))
    assert (fits[0], len(fits[2])) == (0, 40)


def test_one_long_recorded_value_passes_the_limit_alone(v2c: Any) -> None:
    long = Variable((1, 3, 6, 1, 9, 1), 4, bytes(12_000))
    short = Variable((1, 3, 6, 1, 9, 2), 4, b"x")
    strict, lenient = (
        Agent(Recording([long, short])),
        Agent(Recording([long, short]), max_single=LARGEST_REPLY),
    )
    both = v2c.request("GetBulk", [(1, 3)], max_repetitions=5)
    assert v2c.reply(strict.answer(both))[0] == 1
    assert [oid[-1] for oid, _, _ in v2c.reply(lenient.answer(both))[2]] == [1]
    pair = v2c.request("Get", [long.arcs, short.arcs])
    assert v2c.reply(lenient.answer(pair))[0] == 1


def test_snmpv1_says_no_such_name_and_repeats_the_request(agent: Agent, v1: Any) -> None:
    asked = [(*NAME, 1), (*NAME, 99)]
    status, index, bound = v1.reply(agent.answer(v1.request("Get", asked)))
    assert (status, index) == (2, 2)
    assert [oid for oid, _, _ in bound] == asked
    assert v1.reply(agent.answer(v1.request("Get", [(*WIDE, 1)])))[:2] == (2, 1)


def test_snmpv1_getnext_does_not_see_counter64(agent: Agent, v1: Any) -> None:
    status, index, _ = v1.reply(agent.answer(v1.request("GetNext", [(*COUNT, ROWS)])))
    assert (status, index) == (2, 1)


@pytest.mark.parametrize(("oracle", "status"), [("v2c", 17), ("v1", 2)])
def test_set_is_refused(
    agent: Agent, request: pytest.FixtureRequest, oracle: str, status: int
) -> None:
    asking = request.getfixturevalue(oracle)
    assert asking.reply(agent.answer(asking.request("Set", [(*NAME, 1)])))[0] == status


def test_wrong_community_and_noise_meet_silence_and_are_counted(agent: Agent, v2c: Any) -> None:
    assert agent.answer(v2c.request("Get", [(*NAME, 1)], community="private")) is None
    assert agent.answer(b"\x30\x03abc") is None
    assert agent.answer(b"") is None
    seen = agent.statistics
    assert (seen.requests, seen.wrong_community, seen.malformed, seen.replies) == (3, 1, 2, 0)


def test_request_id_comes_back_as_it_came(agent: Agent, v2c: Any) -> None:
    for request_id in (0, 1, 127, 128, 2**31 - 1, -1):
        request = v2c.request("Get", [(*NAME, 1)], request_id=request_id)
        assert v2c.request_id(agent.answer(request)) == request_id


def test_too_small_a_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="RFC 3417 asks for 484"):
        Agent(device(), max_reply=100)
