"""Messages: kept before they are sent, signed, tried again, at least once; over a real socket."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from controller.incidents.model import Act
from controller.incidents.notices import (
    GIVE_UP_NS,
    LONGEST_RETRY_NS,
    SIGNATURE,
    Notice,
    State,
    outcome,
    retry_at_ns,
)
from controller.incidents.tables import NoticeRow
from dashboards.ops.incident_words import teller
from tenone.config.escalation import Escalation
from tenone.runtime.clock import ManualClock
from tenone.vocabulary.scope import ScopePath

from .house import Town

SLOW: dict[str, Any] = {"speed_mbps": [100, 1000, 10_000]}
SECRET = "the key of this test"


@dataclass
class Receiver:
    """A web server of a few lines; answers with the next of ``statuses``, then 204."""

    statuses: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = (line.partition(": ") for line in head.split("\r\n")[1:] if line)
        headers = {name.lower(): value for name, _, value in lines}
        body = await reader.readexactly(int(headers["content-length"]))
        self.got.append((headers, body))
        status = self.statuses.pop(0) if self.statuses else 204
        writer.write(
            f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


@pytest.fixture
def town(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setenv("HOOK_KEY", SECRET)
    hook = {
        "kind": "webhook",
        "url": f"http://127.0.0.1:{receiver.port}/hook",
        "secret": "env:HOOK_KEY",
    }
    mail = {"kind": "email-file", "path": str(tmp_path / "mail")}
    policy_of = {"school": {"after": {"warning": 0}, "channels": [hook, mail]}}
    made = Town(tmp_path, ManualClock(), Escalation.model_validate(policy_of))
    made.born("no1", "no2")
    yield made
    made.close()


async def deliver(town: Town) -> int:
    assert town.room.postman is not None
    return await town.room.postman.deliver()


async def close(town: Town) -> None:
    assert town.room.postman is not None
    await town.room.postman.sender.close()


async def test_a_signed_webhook_and_a_mail_say_the_sentence(
    tmp_path: Path, town: Town, receiver: Receiver
) -> None:
    assert town.room.postman is not None
    town.room.postman.speak(teller(lambda: town.clock.wall_ns() / 1e9))
    await town.sweeps(20)
    await town.sweeps(30, **SLOW)
    assert await deliver(town) == 2
    assert await deliver(town) == 0
    ((headers, body),) = receiver.got
    signed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE.lower()] == f"sha256={signed}"
    told = json.loads(body)
    assert told["type"] == "tenone.incident.escalated"
    assert told["incident"]["link"] == "no1/c301"
    assert "100 Mbit/s instead of 1 Gbit/s" in told["sentence"]
    assert "应为 1 Gbit/s" in told["sentence_zh"]
    (mail,) = (tmp_path / "mail").iterdir()
    read = message_from_bytes(mail.read_bytes(), policy=policy.default)
    assert read["Subject"].startswith("第一小学: Link c301：端口")
    await town.sweeps(60)
    assert await deliver(town) == 2  # those who were told hear that it is over
    assert json.loads(receiver.got[-1][1])["type"] == "tenone.incident.resolved"
    await close(town)


async def test_what_fails_is_tried_again_with_the_same_id(town: Town, receiver: Receiver) -> None:
    receiver.statuses = [500, 302]
    await town.sweeps(20)
    await town.sweeps(30, **SLOW)
    assert await deliver(town) == 1  # the mail
    assert town.room.postman is not None
    assert "webhook 1 of the school: the webhook answered 500" in town.room.health().sentence
    assert await deliver(town) == 0  # not yet due again
    town.clock.advance(6)
    assert await deliver(town) == 0  # a redirect is no delivery, and is not followed
    town.clock.advance(11)
    assert await deliver(town) == 1
    ids = {json.loads(body)["id"] for _, body in receiver.got}
    assert (len(receiver.got), len(ids)) == (3, 1)
    await close(town)


async def test_a_restart_before_delivery_loses_nothing(
    tmp_path: Path, town: Town, receiver: Receiver
) -> None:
    await town.sweeps(20)
    await town.sweeps(30, **SLOW)
    town.room.close()
    again = Town(tmp_path, town.clock, town.house.config.escalation)
    assert await deliver(again) == 2
    assert len(receiver.got) == 1
    await close(again)
    again.close()


async def test_a_secret_that_is_gone_is_said_and_kept(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK_KEY")
    await town.sweeps(20)
    await town.sweeps(30, **SLOW)
    assert await deliver(town) == 1
    (view,) = town.desk.views(ScopePath())
    with Session(town.records.engine) as session:
        query = sa.select(NoticeRow).where(NoticeRow.incident == view.id).order_by(NoticeRow.row)
        waiting, sent = session.scalars(query)
    assert [waiting.state, sent.state] == [State.WAITING, State.SENT]
    assert "secret" in waiting.error
    await close(town)


def notice(**values: int) -> Notice:
    made: dict[str, Any] = {"made_ns": 0, "due_ns": 0, "attempts": 0}
    return Notice(
        row=1, incident="i", level=0, act=Act.ESCALATED.value, channel="0:webhook", **made | values
    )


def test_patience_grows_and_ends() -> None:
    waits = [retry_at_ns(attempts, 0) for attempts in range(40)]
    assert waits[:3] == [5 * 10**9, 10 * 10**9, 20 * 10**9]
    assert waits[-1] == max(waits) == LONGEST_RETRY_NS
    assert outcome(notice(), GIVE_UP_NS, "no")["state"] == State.GIVEN_UP
    assert outcome(notice(), GIVE_UP_NS - 1, "no")["state"] == State.WAITING
    assert outcome(notice(attempts=3), 7, "") == {
        "row": 1,
        "state": State.SENT,
        "sent_ns": 7,
        "attempts": 4,
        "error": "",
    }
