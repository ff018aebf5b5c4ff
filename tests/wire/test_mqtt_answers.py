import asyncio

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from drivers.wire.mqtt_answers import Answers
from drivers.wire.mqtt_values import ConnectionLostError, PublishRefusedError

NOT_AUTHORISED = 0x87


@pytest.fixture
def answers() -> Answers[int]:
    return Answers[int](PublishRefusedError, "broker b refused a message for")


def reason(code: int = 0) -> ReasonCode:
    return ReasonCode(PacketTypes.PUBACK, identifier=code)


async def test_each_answer_reaches_who_awaits_it(answers: Answers[int]) -> None:
    with answers.expected(1, "a") as first, answers.expected(2, "b") as second:
        assert len(answers) == 2
        answers.settle(2, reason(), 20)
        answers.settle(3, reason(), 30)  # awaited by nobody
        answers.settle(1, reason(), 10)
        answers.settle(1, reason(), 11)  # a second time means nothing
        assert not answers
        assert (await first, await second) == (10, 20)


async def test_a_refusal_names_topic_and_reason(answers: Answers[int]) -> None:
    with answers.expected(1, "a/b") as answer:
        answers.settle(1, reason(NOT_AUTHORISED), 0)
        with pytest.raises(PublishRefusedError, match="broker b refused a message for a/b") as said:
            await answer
    assert (said.value.topic, said.value.reason_code) == ("a/b", NOT_AUTHORISED)


async def test_who_gives_up_is_forgotten(answers: Answers[int]) -> None:
    with pytest.raises(TimeoutError), answers.expected(1, "a") as answer:
        async with asyncio.timeout(0):
            await answer
    assert not answers
    answers.settle(1, reason(), 1)
    with answers.expected(2, "a") as answer:
        answer.cancel()
        answers.settle(2, reason(), 1)
        answers.fail(ConnectionLostError("gone"))


async def test_a_lost_connection_reaches_everyone_once(answers: Answers[int]) -> None:
    lost = ConnectionLostError("gone")
    with answers.expected(1, "a") as first, answers.expected(2, "b") as second:
        answers.settle(1, reason(), 10)
        answers.fail(lost)
        answers.fail(ConnectionLostError("again"))
        assert await first == 10
        with pytest.raises(ConnectionLostError, match="gone"):
            await second
    assert not answers
