"""The plain questions: GET of some names, a walk of a subtree, walks of many columns.

For what is asked once an hour. What is asked every few seconds goes through
:mod:`drivers.snmp.sweep`, which knows its answers' shape beforehand.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.snmp.ber import Missing, Oid, Tag, encode_oid, oid_text
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import (
    AgentError,
    BudgetExceeded,
    ErrorStatus,
    NotIncreasing,
    SnmpError,
    Timeout,
    TooManyRows,
    UnexpectedReply,
    status_name,
)
from drivers.snmp.message import (
    Head,
    PduType,
    Request,
    VarBind,
    Version,
    build_request,
    decode_varbinds,
)
from drivers.snmp.target import Budget, Device

MAX_WALK_ROWS = 10_000
LIGHTER = 5
"""A retry asks for this many times fewer: some agents fall silent over large answers."""
MAX_SILENCES = 2
"""Columns in a row that may time out before the rest of a device's columns is given up."""
MAX_LONG = 16
"""Columns that may have too many rows before the rest is given up."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk found, and what ended it: None, or why the rest is unknown."""

    varbinds: tuple[VarBind, ...]
    error: SnmpError | None


@dataclass(slots=True)
class _Answer:
    """Takes a response out of the client's callback."""

    status: int = 0
    index: int = 0
    varbinds: list[VarBind] | None = None

    def take(self, head: Head, data: bytes) -> None:
        self.status, self.index = head.error_status, head.error_index
        self.varbinds = decode_varbinds(data, head.start, head.stop)


def agent_error(label: str, status: int, index: int, names: Sequence[Oid] = ()) -> AgentError:
    """The error for an error-status, naming the variable at fault where the agent does."""
    where = f" about {oid_text(names[index - 1])}" if 1 <= index <= len(names) else ""
    return AgentError(f"{label} answered {status_name(status)}{where}", status, index)


class Session:
    """Questions to one device; every failure is an :class:`SnmpError`."""

    def __init__(self, client: SnmpClient, device: Device) -> None:
        self.client = client
        self.device = device

    async def get(self, names: Sequence[Oid], budget: Budget | None = None) -> list[VarBind]:
        """GET ``names``, in as many requests as the device needs; one variable a name, in order.

        A name the device does not have comes back with a :class:`Missing` as its value.
        """
        size = self.device.max_varbinds
        if len(names) > size:
            parts = [names[start : start + size] for start in range(0, len(names), size)]
            return [bind for part in parts for bind in await self.get(part, budget)]
        answer = _Answer()
        request = self._request(PduType.GET, names)
        await self.client.ask(self.device, request, answer.take, budget=budget)
        if answer.status == ErrorStatus.TOO_BIG and len(names) > 1:
            self.device.max_varbinds = len(names) // 2
            return await self.get(names, budget)
        if answer.status == ErrorStatus.NO_SUCH_NAME and self._blames(answer.index, names):
            # RFC 1157 4.1.2: one absent name takes the answer to all the others with it.
            place = answer.index - 1
            absent = VarBind(names[place], Tag.NO_SUCH_INSTANCE, Missing.NO_SUCH_INSTANCE)
            rest = [*names[:place], *names[place + 1 :]]
            found = await self.get(rest, budget) if rest else []
            return [*found[:place], absent, *found[place:]]
        if answer.status:
            raise agent_error(self.device.label, answer.status, answer.index, names)
        varbinds = answer.varbinds or []
        if [bind.name for bind in varbinds] != list(names):
            raise UnexpectedReply(
                f"{self.device.label} was asked for {len(names)} variables and answered "
                f"{len(varbinds)}, not the same ones"
            )
        return varbinds

    async def walk(
        self, root: Oid, budget: Budget | None = None, max_rows: int = MAX_WALK_ROWS
    ) -> Walk:
        """Read everything under ``root`` by GETBULK.

        Never raises :class:`SnmpError`: what was read before the trouble is true and kept.
        """
        found: list[VarBind] = []
        last = root
        try:
            while True:
                varbinds = await self._bulk(last, budget)
                for bind in varbinds:
                    if bind.value is Missing.END_OF_MIB_VIEW:
                        return Walk(tuple(found), None)
                    if bind.name <= last:
                        raise NotIncreasing(
                            f"{self.device.label} answered {oid_text(bind.name)} to a request for "
                            f"what comes after {oid_text(last)}"
                        )
                    if bind.name[: len(root)] != root:
                        return Walk(tuple(found), None)
                    if len(found) == max_rows:
                        raise TooManyRows(
                            f"{self.device.label} has more than {max_rows} rows under "
                            f"{oid_text(root)}"
                        )
                    found.append(bind)
                    last = bind.name
        except SnmpError as error:
            return Walk(tuple(found), error)

    async def walk_all(
        self, roots: Sequence[Oid], budget: Budget | None = None, max_rows: int = MAX_WALK_ROWS
    ) -> list[Walk]:
        """Walk several subtrees, as many at once as the device's window.

        A subtree that fails takes nothing from the others; when :data:`MAX_SILENCES` of them
        in a row got no answer, the rest is given up with the same error; so it is when the budget
        is used up, or when :data:`MAX_LONG` tables have had too many rows: a device that makes up
        rows without end would have as many of each.
        """
        walks: dict[int, Walk] = {}
        queue = list(enumerate(roots))[::-1]
        silences = long = 0

        async def work() -> None:
            nonlocal silences, long
            while queue:
                number, root = queue.pop()
                walk = await self.walk(root, budget, max_rows)
                walks[number] = walk
                silent = isinstance(walk.error, Timeout)
                silences = silences + 1 if silent else 0
                too_long = isinstance(walk.error, TooManyRows)
                long += too_long
                spent = isinstance(walk.error, BudgetExceeded) and not too_long
                if spent or silences >= MAX_SILENCES or long >= MAX_LONG:
                    walks.update((rest, Walk((), walk.error)) for rest, _ in queue)
                    queue.clear()

        await asyncio.gather(*(work() for _ in range(self.device.target.window)))
        return [walks[number] for number in range(len(roots))]

    def _blames(self, index: int, names: Sequence[Oid]) -> bool:
        """Whether an SNMPv1 agent's error is about one of ``names``."""
        return self.device.envelope.version is Version.V1 and 1 <= index <= len(names)

    async def _next(self, after: Oid, budget: Budget | None) -> list[VarBind]:
        """One GETNEXT, for an SNMPv1 agent, which knows no GETBULK."""
        answer = _Answer()
        request = self._request(PduType.GET_NEXT, (after,))
        await self.client.ask(self.device, request, answer.take, budget=budget)
        if answer.status == ErrorStatus.NO_SUCH_NAME:
            # RFC 1157 4.1.3: how a v1 agent says that nothing comes after this name.
            return [VarBind(after, Tag.END_OF_MIB_VIEW, Missing.END_OF_MIB_VIEW)]
        if answer.status:
            raise agent_error(self.device.label, answer.status, answer.index, (after,))
        if answer.varbinds is None or len(answer.varbinds) != 1:
            raise UnexpectedReply(
                f"{self.device.label} was asked for the variable after {oid_text(after)} and "
                f"answered {len(answer.varbinds or ())}"
            )
        return answer.varbinds

    async def _bulk(self, after: Oid, budget: Budget | None) -> list[VarBind]:
        """One GETBULK; steps down when the agent says tooBig or keeps silent."""
        device = self.device
        if device.envelope.version is Version.V1:
            return await self._next(after, budget)
        while True:
            asked = sent = device.max_repetitions
            answer = _Answer()

            def lighter() -> Request:
                nonlocal sent
                sent = max(1, sent // LIGHTER)
                return self._request(PduType.GET_BULK, (after,), sent)

            request = self._request(PduType.GET_BULK, (after,), asked)
            await self.client.ask(device, request, answer.take, budget=budget, lighter=lighter)
            varbinds = answer.varbinds or []
            if answer.status == ErrorStatus.TOO_BIG and sent > 1:
                device.shrink_repetitions(sent // 2, for_good=True)
                continue
            if answer.status == ErrorStatus.NO_SUCH_NAME:
                # RFC 1157 4.1.3: how a v1 agent says that nothing comes after this name.
                return [VarBind(after, 0, Missing.END_OF_MIB_VIEW)]
            if answer.status:
                raise agent_error(device.label, answer.status, answer.index, (after,))
            if not 1 <= len(varbinds) <= asked:
                raise UnexpectedReply(
                    f"{device.label} was asked for up to {asked} variables after "
                    f"{oid_text(after)} and answered {len(varbinds)}"
                )
            if len(varbinds) <= sent < asked:
                device.shrink_repetitions(sent, for_good=False)
            else:
                device.grow()
            return varbinds

    def _request(self, kind: PduType, names: Sequence[Oid], repetitions: int = 0) -> Request:
        return build_request(
            self.device.envelope,
            kind,
            tuple(encode_oid(name) for name in names),
            max_repetitions=repetitions,
        )
