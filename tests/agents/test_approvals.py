"""The agent's own check of an approval: at most one execution, whatever is sent."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from agents.approvals import (
    KEYS_FILE,
    KEYS_VERB,
    VERB,
    Approvals,
    keys_folder,
    pin_first_keys,
)
from agents.commands import Code, CommandFailed, Commands
from agents.used_approvals import FILE_NAME
from drivers.wire.commands import CommandState, Reply, Request
from tenone.journal.disk import OsDisk
from tenone.runtime.clock import ManualClock, SystemClock
from tenone.trust.approval import (
    LIFE_MS,
    TOLERANCE_MS,
    Approval,
    Refusal,
    Refused,
    Risk,
    SignedApproval,
)
from tenone.trust.approval_keys import KeySet, KeySetError, SignedKeySet
from tenone.vocabulary.states import ClockQuality
from tests.agents.conftest import until
from tests.trust.approving import KEY, LINES, NOW_MS, PUBLIC, STATE, signed

KEYS = KeySet(city="c", number=1, current=PUBLIC)


class CountingWorkshop:
    """Executes nothing and counts it."""

    def __init__(self) -> None:
        self.lines: Sequence[str] = LINES
        self.facts: Mapping[str, str] = STATE
        self.least = 1
        self.executed: list[str] = []
        self.asked = 0
        self.hanging = ""

    def persons(self, _approval: Approval, /) -> int:
        """The school's own rule."""
        return self.least

    async def render(self, approval: Approval) -> Sequence[str]:
        """The same for every port, as the test wants it."""
        if approval.intent != "port.renegotiate":
            raise Refused(Refusal.NO_SUCH_INTENT, f"there is no intent {approval.intent}")
        return self.lines

    async def state(self, _approval: Approval, /) -> Mapping[str, str]:
        """What the test says."""
        self.asked += 1
        await asyncio.sleep(0)
        return self.facts

    async def execute(self, approval: Approval, lines: Sequence[str]) -> str:
        """Count."""
        assert lines == self.lines
        self.executed.append(approval.action)
        if approval.action == self.hanging:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        return "done"


def set_wall(clock: ManualClock, at_ms: int) -> None:
    """As somebody sets a clock."""
    clock.step_wall(at_ms / 1000 - clock.wall_ns() / 1e9)


class School:
    """One agent's part that checks, with a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / KEYS_FILE).write_text(KEYS.text)
        self.workshop = CountingWorkshop()
        self.clock = ManualClock(wall_ns=(NOW_MS - 10 * LIFE_MS) * 1_000_000)
        self.quality = ClockQuality.SYNCHRONISED
        self.approvals = self.started()
        set_wall(self.clock, NOW_MS)

    def started(self) -> Approvals:
        return Approvals(
            self.folder,
            city="c",
            school="no1",
            workshop=self.workshop,
            clock=self.clock,
            disk=OsDisk(),
            quality=lambda: self.quality,
        )

    async def send(self, document: SignedApproval) -> str:
        return await self.approvals.act(
            {"approval": document.text, "signature": document.signature.hex()}
        )

    async def refused(self, document: SignedApproval) -> tuple[int, str]:
        with pytest.raises(CommandFailed) as failed:
            await self.send(document)
        return failed.value.code, str(failed.value)


@pytest.fixture
def school(tmp_path: Path) -> School:
    return School(tmp_path / "outbox")


async def test_a_good_approval_is_executed_once(school: School) -> None:
    assert await school.send(signed()) == "done"
    code, sentence = await school.refused(signed())
    assert code == Refusal.USED
    assert sentence == "the approval of a-1 was used before"
    assert school.workshop.executed == ["a-1"]


def changed_lines(school: School) -> None:
    school.workshop.lines = (*LINES[:2], LINES[2] + " ")


def changed_state(school: School) -> None:
    school.workshop.facts = STATE | {"GE1/0/1 duplex": "half"}


def own_rule(school: School) -> None:
    school.workshop.least = 2


def unset_clock(school: School) -> None:
    school.quality = ClockQuality.FREE_RUNNING


def late(school: School) -> None:
    set_wall(school.clock, (NOW_MS + LIFE_MS))


def early(school: School) -> None:
    set_wall(school.clock, (NOW_MS - 61_000))


def full_disk(school: School) -> None:
    (school.folder / FILE_NAME).unlink()
    (school.folder / FILE_NAME).mkdir()


def nothing(_: School) -> None:
    """All is as it was."""


@pytest.mark.parametrize(
    ("why", "prepare", "document"),
    [
        (Refusal.OTHER_PLAN, changed_lines, signed()),
        (Refusal.OTHER_STATE, changed_state, signed()),
        (Refusal.PERSONS, own_rule, signed()),
        (Refusal.PERSONS, nothing, signed(approvers=("account:li",))),
        (Refusal.PERSONS, nothing, signed(risk=Risk.HIGH)),
        (Refusal.CLOCK, unset_clock, signed()),
        (Refusal.EXPIRED, late, signed()),
        (Refusal.NOT_YET, early, signed()),
        (Refusal.TOO_LONG, nothing, signed(expires_ms=NOW_MS + LIFE_MS + 1)),
        (Refusal.OTHER_SCHOOL, nothing, signed(school="no2")),
        (Refusal.OTHER_CITY, nothing, signed(city="d")),
        (Refusal.NO_SUCH_INTENT, nothing, signed(intent="port.shut")),
        (Refusal.SIGNATURE, nothing, SignedApproval(signed().text, bytes(64))),
        (Refusal.MALFORMED, nothing, SignedApproval("", b"")),
        (Refusal.NOT_KEPT, full_disk, signed()),
    ],
)
async def test_what_is_refused_is_not_executed(
    school: School, why: Refusal, prepare: Callable[[School], None], document: SignedApproval
) -> None:
    prepare(school)
    code, sentence = await school.refused(document)
    assert code == why
    assert sentence
    assert "\n" not in sentence
    assert school.workshop.executed == []


async def test_a_refused_document_is_not_used_up(school: School) -> None:
    changed_state(school)
    await school.refused(signed())
    school.workshop.facts = STATE
    assert await school.send(signed()) == "done"


async def test_a_machine_set_back_to_a_copy_of_its_disk_does_nothing_twice(
    school: School,
) -> None:
    """What was used is forgotten with the disk; what was issued before the start is refused."""
    copy = (school.folder / FILE_NAME).read_bytes()
    assert await school.send(signed()) == "done"
    (school.folder / FILE_NAME).write_bytes(copy)
    school.clock.advance(30)
    school.approvals = school.started()
    school.clock.advance(30)
    code, sentence = await school.refused(signed())
    assert code == Refusal.BEFORE_START
    assert "ask for a new one" in sentence
    later = NOW_MS + 45_000
    assert await school.send(signed(action="a-2", nonce="1" * 32, issued_ms=later)) == "done"


async def test_the_start_is_counted_back_from_a_clock_that_was_set_later(school: School) -> None:
    set_wall(school.clock, 1_000_000)  # it starts in 1970, and is set a minute later
    school.approvals = school.started()
    school.clock.advance(60)
    set_wall(school.clock, NOW_MS + 59_000)
    assert (await school.refused(signed(issued_ms=NOW_MS - 2_000, expires_ms=NOW_MS + 600_000)))[
        0
    ] == Refusal.BEFORE_START


def test_keys_are_found_where_an_enrolment_or_a_demo_put_them(tmp_path: Path) -> None:
    disk = OsDisk()
    assert keys_folder([None, tmp_path / "no", tmp_path], disk) is None
    pin_first_keys(tmp_path / "outbox", KEYS, disk)
    assert keys_folder([None, tmp_path, tmp_path / "outbox"], disk) == tmp_path / "outbox"
    pin_first_keys(tmp_path / "outbox", KeySet(city="c", number=9, current=bytes(32)), disk)
    assert (tmp_path / "outbox" / KEYS_FILE).read_text() == KEYS.text  # what stands stays


async def test_a_switch_that_is_gone_holds_up_no_other_approval(school: School) -> None:
    school.workshop.hanging = "a-1"
    first = asyncio.ensure_future(school.send(signed(action="a-1", nonce="1" * 32)))
    await until(lambda: school.workshop.executed == ["a-1"])
    assert await asyncio.wait_for(school.send(signed(action="a-2", nonce="2" * 32)), 5) == "done"
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


async def test_abuse_24_raced_to_the_agent_one_is_executed(school: School) -> None:
    answers = await asyncio.gather(
        *(school.send(signed()) for _ in range(50)), return_exceptions=True
    )
    assert answers.count("done") == 1
    assert len(school.workshop.executed) == 1


async def test_abuse_24_used_stays_used_over_restarts_and_clocks(school: School) -> None:
    await school.send(signed())
    for shift_ms in (0, -30_000, 60_000, -LIFE_MS, -365 * 86_400_000, LIFE_MS - 1):
        set_wall(school.clock, (NOW_MS + shift_ms))
        school.approvals = school.started()
        await school.refused(signed())
    assert school.workshop.executed == ["a-1"]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"approval": signed().text},
        {"approval": 1, "signature": "00"},
        {"approval": signed().text, "signature": "no hex"},
        {"approval": signed().text, "signature": "00" * 10_000},
    ],
)
async def test_odd_arguments_are_refused(school: School, arguments: Mapping[str, object]) -> None:
    with pytest.raises(CommandFailed) as failed:
        await school.approvals.act(arguments)
    assert failed.value.code is Code.BAD_ARGUMENTS


async def test_keys_are_pinned_anew_and_stay_so(school: School) -> None:
    following = KeySet(city="c", number=2, current=bytes.fromhex("aa" * 32), next=PUBLIC)
    new = SignedKeySet.sign(following, KEY)
    arguments = {"keys": new.text, "by": new.by, "signature": new.signature.hex()}
    assert "number 2" in await school.approvals.pin_keys(arguments)
    assert school.started()._keys == following  # what a restart has read
    assert await school.approvals.pin_keys(arguments)  # again: no harm
    with pytest.raises(CommandFailed) as failed:
        await school.approvals.pin_keys(arguments | {"signature": "00" * 64})
    assert failed.value.code is Refusal.UNKNOWN_KEY
    with pytest.raises(CommandFailed) as failed:
        await school.approvals.pin_keys({"keys": new.text, "signature": "00"})
    assert failed.value.code is Code.BAD_ARGUMENTS


def test_a_damaged_key_file_says_what_to_do(school: School) -> None:
    (school.folder / KEYS_FILE).write_text("rubbish")
    with pytest.raises(KeySetError, match="enrol this school anew"):
        school.started()


async def test_by_the_table_of_commands_a_retry_gets_the_same_answer(school: School) -> None:
    """The code and sentence of a refusal arrive as the reply's."""
    replies: list[Reply] = []
    commands = Commands(school.approvals.verbs, clock=school.clock)
    commands.reply_to(replies.append)
    running = asyncio.create_task(commands.run())
    assert commands.verbs == (VERB, KEYS_VERB)

    def ask(identity: str) -> None:
        document = signed()
        arguments = {"approval": document.text, "signature": document.signature.hex()}
        commands.take(
            Request(verb=VERB, id=identity, deadline_ms=NOW_MS + 60_000, arguments=arguments)
        )

    ask("c1")
    await until(lambda: len(replies) == 2)
    ask("c1")
    ask("c2")
    await until(lambda: len(replies) == 5)
    running.cancel()
    assert replies[1] == replies[2]
    assert replies[1].state is CommandState.SUCCESSFUL
    assert (replies[-1].state, replies[-1].code) == (CommandState.FAILED, Refusal.USED)
    assert school.workshop.executed == ["a-1"]


ACTOR = """
    import asyncio, os, sys
    from pathlib import Path
    from agents.approvals import Approvals
    from agents.commands import CommandFailed
    from tenone.journal.disk import OsDisk
    from tenone.runtime.clock import SystemClock
    from tenone.vocabulary.states import ClockQuality
    from tests.trust.approving import LINES, STATE

    folder = Path(sys.argv[1])

    class Workshop:
        def persons(self, approval): return 1
        async def render(self, approval): return LINES
        async def state(self, approval): return STATE
        async def execute(self, approval, lines):
            done = os.open(folder / "executed", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(done, approval.action.encode() + b"\\n")
            os.close(done)
            return "done"

    async def main():
        approvals = Approvals(folder, city="c", school="no1", workshop=Workshop(),
                              clock=SystemClock(), disk=OsDisk(),
                              quality=lambda: ClockQuality.SYNCHRONISED)
        print("ready", flush=True)
        for line in sys.stdin:
            text, signature = line.split()
            try:
                await approvals.act({"approval": bytes.fromhex(text).decode(),
                                     "signature": signature})
                print("done", flush=True)
            except CommandFailed as error:
                print(int(error.code), flush=True)

    asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_abuse_24_killed_at_any_moment_the_agent_executes_at_most_once(tmp_path: Path) -> None:
    """200 documents, each sent again and again to a process that is killed with SIGKILL."""
    (tmp_path / KEYS_FILE).write_text(KEYS.text)
    start_ms = SystemClock().wall_ns() // 1_000_000
    (tmp_path / FILE_NAME).write_bytes(_empty_file())
    picked = random.Random(24)
    documents = [
        signed(
            action=f"a-{number}",
            nonce=f"{number:032x}",
            issued_ms=start_ms + TOLERANCE_MS - 5_000,  # after every start, or they were refused
            expires_ms=start_ms + LIFE_MS,
        )
        for number in range(200)
    ]
    lines = [f"{one.text.encode().hex()} {one.signature.hex()}\n" for one in documents]
    kills = answered = 0
    for round_number in range(60):
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(ACTOR), str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parents[2],
        )
        assert child.stdin is not None
        assert child.stdout is not None
        with child.stdin, child.stdout:
            assert child.stdout.readline() == b"ready\n"
            first = max(0, round_number * 3 - 6)  # some of the rounds before, then new ones
            for line in lines[first : first + 9]:
                os.write(child.stdin.fileno(), line.encode())
            for _ in range(picked.randrange(9)):
                answered += bool(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
            child.wait(10)
            kills += 1
    executed = (tmp_path / "executed").read_text().split()
    print(f"\nkill -9: {kills} kills, {answered} answers, {len(executed)} executions,")
    print(f"twice executed: {len(executed) - len(set(executed))}")
    assert len(executed) == len(set(executed))
    assert len(executed) > 60


def _empty_file() -> bytes:
    """A file whose floor lies in the past, as an agent has that was started before."""
    import zlib  # noqa: PLC0415 - for this one line

    return b"floor 1 1 %08x\n" % zlib.crc32(b"floor 1 1")
