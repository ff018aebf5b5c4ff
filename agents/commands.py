"""What the controller may ask of this agent: verbs with a deadline, each id carried out once.

The reply channel is a plain callable, for a reply that is lost is asked for again: the same
id is answered from memory and not carried out a second time.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from enum import IntEnum

from agents.waiting import within
from drivers.wire.commands import CommandState, Reply, Request
from tenone.runtime.clock import Clock

log = logging.getLogger(__name__)

REMEMBERED = 256
AT_ONCE = 8
"""Commands under way at the same time; more than that are refused."""
LONGEST_SAID = 300
"""Characters of an answer that the log gets; some answers are documents."""
LONGEST_MS = 300_000
"""A command that takes longer is given up whatever its deadline says: its slot is not its own."""


class Code(IntEnum):
    """``code`` of a reply."""

    OK = 0
    EXPIRED = 1
    """The deadline had passed before, or while, it was carried out."""
    UNKNOWN_VERB = 2
    BAD_ARGUMENTS = 3
    FAILED = 4
    BUSY = 5


class CommandFailed(Exception):  # noqa: N818 - it is an answer to the one who asked
    """A command that could not be carried out; ``str()`` is one sentence for the reply."""

    def __init__(self, code: IntEnum, sentence: str) -> None:
        self.code = code
        """A :class:`Code`, or one of the verb's own (20 and up)."""
        super().__init__(sentence)


Verb = Callable[[Mapping[str, object]], Awaitable[str]]
"""Carries a command out and returns a sentence; raises :class:`CommandFailed`."""


class Commands:
    """The verbs table. :meth:`take` never blocks; :meth:`run` is for the supervisor."""

    def __init__(self, verbs: Mapping[str, Verb], *, clock: Clock) -> None:
        self._verbs = dict(verbs)
        self._clock = clock
        self._reply: Callable[[Reply], None] = _unsent
        self._answers: OrderedDict[tuple[str, str], Reply] = OrderedDict()
        self._queue: asyncio.Queue[Request] = asyncio.Queue()
        self._under_way = 0

    @property
    def verbs(self) -> tuple[str, ...]:
        """What the birth declares."""
        return tuple(self._verbs)

    def reply_to(self, reply: Callable[[Reply], None]) -> None:
        """Say where replies go; before that they are only remembered."""
        self._reply = reply

    def take(self, request: Request) -> None:
        """Accept, refuse or repeat the answer to one request."""
        known = self._answers.get((request.verb, request.id))
        if known is not None:
            self._reply(known)
            return
        if request.verb not in self._verbs:
            sentence = f"this agent does not know the verb {request.verb}"
            self._say(request, CommandState.FAILED, Code.UNKNOWN_VERB, sentence)
        elif request.expired(self._now_ms()):
            sentence = "the deadline had passed when the command arrived"
            self._say(request, CommandState.FAILED, Code.EXPIRED, sentence)
        elif self._under_way >= AT_ONCE:
            # Not remembered: the same id may be asked again when there is room.
            self._reply(
                _reply(request, CommandState.FAILED, Code.BUSY, "too many commands at once")
            )
        else:
            self._under_way += 1
            self._say(request, CommandState.EXECUTING, Code.OK, "")
            self._queue.put_nowait(request)

    async def run(self) -> None:
        """Carry accepted commands out, each within its deadline."""
        async with asyncio.TaskGroup() as group:
            while True:
                request = await self._queue.get()
                group.create_task(self._execute(request), name=f"{request.verb} {request.id}")

    async def _execute(self, request: Request) -> None:
        remaining_seconds = min(request.deadline_ms - self._now_ms(), LONGEST_MS) / 1000
        code: IntEnum = Code.OK
        state = CommandState.SUCCESSFUL
        try:
            work = self._verbs[request.verb](request.arguments)
            sentence = await within(self._clock, remaining_seconds, _coroutine(work))
        except CommandFailed as error:
            code, state, sentence = error.code, CommandState.FAILED, str(error)
        except TimeoutError:
            code, state = Code.EXPIRED, CommandState.FAILED
            sentence = "the deadline passed while the command was carried out"
        finally:
            self._under_way -= 1
        self._say(request, state, code, sentence)

    def _say(self, request: Request, state: CommandState, code: IntEnum, sentence: str) -> None:
        reply = _reply(request, state, code, sentence)
        said = sentence[:LONGEST_SAID]
        log.info("command %s %s: %s %s", request.verb, request.id, state.value, said)
        self._answers[request.verb, request.id] = reply
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        self._reply(reply)

    def _now_ms(self) -> int:
        return self._clock.wall_ns() // 1_000_000


def _unsent(reply: Reply) -> None:
    log.warning("reply to %s %s has nowhere to go", reply.verb, reply.id)


def _reply(request: Request, state: CommandState, code: IntEnum, sentence: str) -> Reply:
    return Reply(verb=request.verb, id=request.id, state=state, code=code.value, message=sentence)


async def _coroutine(work: Awaitable[str]) -> str:
    return await work
