"""The control topic of Mosquitto's dynamic security, over one MQTT 5 connection.

Commands go out in batches, each with correlation data of its own; an answer is matched by that
and by nothing else, since the answers' topic is read by every administrator of the broker.
"""

import asyncio
import itertools
import json
import secrets
from collections.abc import Iterator, Sequence

from drivers.wire.conversation import Conversation
from drivers.wire.dynsec_plan import Command
from drivers.wire.dynsec_values import DynsecError, State, read_access, read_client, read_role
from drivers.wire.mqtt_values import Message

CONTROL = "$CONTROL/dynamic-security/v1"
RESPONSE = f"{CONTROL}/response"
BATCH_COMMANDS = 20
"""The broker writes its whole file at each; a session that is to be cut waits for one batch."""
BATCH_BYTES = 128 * 1024
"""A quarter of what :mod:`drivers.wire.mosquitto_conf` lets a packet be."""
ANSWER_SECONDS = 10.0


class CommandRefusedError(DynsecError):
    """The broker carried out a batch but for some commands; ``refused`` are those, with reasons."""

    def __init__(self, refused: Sequence[tuple[Command, str]]) -> None:
        self.refused = tuple(refused)
        words = "; ".join(f"{command}: {reason}" for command, reason in self.refused[:3])
        more = f" and {len(self.refused) - 3} more" if len(self.refused) > 3 else ""  # noqa: PLR2004 - three are shown
        super().__init__(f"the broker's access control refused {words}{more}")


class Dynsec:
    """One conversation. Whoever reads ``port`` hands the answers to :meth:`answered`."""

    def __init__(self, port: Conversation, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._port = port
        self._answer_seconds = answer_seconds
        self._prefix = secrets.token_hex(8)
        self._numbers = itertools.count()
        self._waiting: dict[str, asyncio.Future[dict[str, object]]] = {}

    async def open(self) -> None:
        """Ask to hear the answers; raises :class:`drivers.wire.mqtt_values.MqttError`."""
        await self._port.subscribe(RESPONSE)

    def answered(self, message: Message) -> None:
        """Take in an answer; what belongs to nobody here is left alone."""
        try:
            body = json.loads(message.payload)
        except ValueError:
            return
        rows = body.get("responses") if isinstance(body, dict) else None
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                future = self._waiting.get(str(row.get("correlationData")))
                if future is not None and not future.done():
                    future.set_result(row)

    async def run(self, *commands: Command) -> list[dict[str, object]]:
        """Carry out ``commands`` in order; returns the data of each answer.

        All batches are sent whatever is refused. Raises :class:`CommandRefusedError`,
        :class:`DynsecError` where no answer comes, or ``MqttError``.
        """
        answers: list[dict[str, object]] = []
        for batch in _batches(commands):
            answers += await self._batch(batch)
        refused = [
            (command, str(answer["error"]))
            for command, answer in zip(commands, answers, strict=True)
            if "error" in answer
        ]
        if refused:
            raise CommandRefusedError(refused)
        return [_data(answer) for answer in answers]

    async def read(self) -> State:
        """All roles, accounts and defaults; raises as :meth:`run`."""
        access, roles, clients = await self.run(
            Command("getDefaultACLAccess"),
            Command("listRoles", {"verbose": True, "count": -1, "offset": 0}),
            Command("listClients", {"verbose": True, "count": -1, "offset": 0}),
        )
        return State.of(
            [read_role(one) for one in _list(roles, "roles")],
            [read_client(one) for one in _list(clients, "clients")],
            read_access(access.get("acls")),
        )

    async def client(self, username: str) -> dict[str, object]:
        """One account as the broker shows it; raises as :meth:`run`."""
        (answer,) = await self.run(Command("getClient", {"username": username}))
        found = answer.get("client")
        if not isinstance(found, dict):
            raise DynsecError(f"the broker's answer about {username} has no account")
        return found

    async def _batch(self, batch: Sequence[Command]) -> list[dict[str, object]]:
        loop = asyncio.get_running_loop()
        marks = [f"{self._prefix}-{next(self._numbers)}" for _ in batch]
        futures = [loop.create_future() for _ in batch]
        self._waiting |= dict(zip(marks, futures, strict=True))
        body = [
            {**command.as_json(), "correlationData": mark}
            for command, mark in zip(batch, marks, strict=True)
        ]
        try:
            async with asyncio.timeout(self._answer_seconds):
                payload = json.dumps({"commands": body}).encode()
                await self._port.publish(CONTROL, payload, qos=1)
                return list(await asyncio.gather(*futures))
        except TimeoutError:
            raise DynsecError(
                f"the broker's access control did not answer within {self._answer_seconds:g} s: "
                "is the plugin mosquitto_dynamic_security.so loaded?"
            ) from None
        finally:
            for mark in marks:
                self._waiting.pop(mark, None)


def _batches(commands: Sequence[Command]) -> Iterator[list[Command]]:
    batch: list[Command] = []
    size = 0
    for command in commands:
        weight = len(json.dumps(command.as_json()))
        if batch and (len(batch) >= BATCH_COMMANDS or size + weight > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(command)
        size += weight
    if batch:
        yield batch


def _data(answer: dict[str, object]) -> dict[str, object]:
    data = answer.get("data", {})
    if not isinstance(data, dict):
        raise DynsecError(f"the broker's answer to {answer.get('command')!r} has no data")
    return data


def _list(answer: dict[str, object], key: str) -> list[object]:
    rows = answer.get(key, [])
    if not isinstance(rows, list):
        raise DynsecError(f"the broker's answer has no list {key!r}")
    return rows
