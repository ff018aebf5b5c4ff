"""What has begun and not ended: whole on disk or not there, whatever happens to the power."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.pending import (
    FILE_NAME,
    DamagedError,
    Pending,
    PendingBook,
    Phase,
    Standing,
    Window,
    parse,
    rendered,
)
from agents.port_look import PortSeen
from drivers.cli.dialect import Ask, Change, Line, PortMode, PortSettings
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus
from tests.journal.conftest import PowerCutDisk, PowerOff

FOLDER = Path("/outbox")
BEFORE = PortSettings(
    negotiation=False,
    speed_mbps=100,
    duplex=Duplex.FULL,
    mode=PortMode.TRUNK,
    access_vlan=7,
    other=("description 三班",),
)
AFTER = PortSettings(trust=True)
SEEN = PortSeen(admin=AdminStatus.UP, oper=OperStatus.DOWN, speed_mbps=1000, duplex=None)
PENDING = Pending(
    action="a-1",
    intent=Intent.RESTORE_NEGOTIATION,
    switch="core",
    port="GE1/0/1",
    change=Change(
        intent=Intent.RESTORE_NEGOTIATION,
        port="GigabitEthernet1/0/1",
        before=BEFORE,
        after=AFTER,
        apply=(Line("speed auto", pause=2.5), Line("commit", (Ask(r"\[Y/N\]", "y"),), 30.0)),
        undo=(Line("abort trial", optional=True),),
        revert_seconds=60.0,
    ),
    measure=(Line("virtual-cable-test"),),
    contract_mbps=1000.0,
    hold_seconds=5.0,
    room="r1",
    before={"GE1/0/1": SEEN, "GE1/0/2": PortSeen()},
    applied_ms=1_790_000_000_000,
)
WINDOW = Window(
    action="a-2",
    intent=Intent.EXAM_PRIORITY,
    switch="core",
    port="GE1/0/2",
    before=BEFORE,
    after=AFTER,
    until_ms=1_790_000_100_000,
    saved=True,
)
WHOLE = Standing(
    pending={"core": PENDING, "edge": replace(PENDING, switch="edge", phase=Phase.UNDOING)},
    windows=(WINDOW,),
    isolated={("core", "GE1/0/3"): BEFORE},
)

settings = st.builds(
    PortSettings,
    enabled=st.booleans(),
    negotiation=st.booleans(),
    speed_mbps=st.none() | st.integers(10, 400_000),
    duplex=st.none() | st.sampled_from(Duplex),
    mode=st.sampled_from(PortMode),
    access_vlan=st.none() | st.integers(1, 4094),
    poe=st.booleans(),
    trust=st.booleans(),
    other=st.lists(st.text(), max_size=3).map(tuple),
)


def test_all_of_it_comes_back() -> None:
    assert parse(rendered(WHOLE)) == WHOLE
    assert parse(rendered(Standing())) == Standing()


@given(settings)
def test_any_settings_come_back(one: PortSettings) -> None:
    standing = Standing(isolated={("core", "GE1/0/3"): one})
    assert parse(rendered(standing)) == standing


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_is_never_believed(place: int, byte: int) -> None:
    data = bytearray(rendered(WHOLE))
    place %= len(data)
    if data[place] == byte:
        return
    data[place] = byte
    with pytest.raises(DamagedError):
        parse(bytes(data))


def test_a_damaged_file_says_what_to_do_and_stays(tmp_path: Path) -> None:
    disk = PowerCutDisk()
    disk.make_folder(FOLDER)
    disk.replace(FOLDER / FILE_NAME, b"rubbish")
    book = PendingBook(FOLDER, disk=disk)
    assert "remove the file" in book.damage
    assert disk.read(FOLDER / FILE_NAME) == b"rubbish"
    assert tmp_path.is_dir()


async def test_what_follows_is_in_the_same_write_as_the_end() -> None:
    disk = PowerCutDisk()
    disk.make_folder(FOLDER)
    book = PendingBook(FOLDER, disk=disk)
    await book.put(PENDING)
    await book.end(PENDING, window=WINDOW, isolate=BEFORE)
    again = PendingBook(FOLDER, disk=disk)
    assert again.of("core") is None
    assert again.windows("core") == (WINDOW,)
    assert again.isolated("core", "GE1/0/1") == BEFORE
    await again.put(PENDING)
    await again.end(PENDING, isolate=AFTER, saved=True)
    assert again.isolated("core", "GE1/0/1") == BEFORE  # the first one counts
    await again.put(PENDING)
    await again.end(PENDING, release=True)
    await again.close_window(WINDOW)
    assert PendingBook(FOLDER, disk=disk).standing == Standing()


async def test_a_save_is_noted_at_what_is_to_be_taken_back() -> None:
    disk = PowerCutDisk()
    disk.make_folder(FOLDER)
    book = PendingBook(FOLDER, disk=disk)
    await book.end(PENDING, window=replace(WINDOW, saved=False))
    await book.end(PENDING, saved=True)
    assert book.windows("core")[0].saved
    assert not book.windows("edge")


@pytest.mark.parametrize("seed", range(40))
async def test_the_power_goes_at_any_write(seed: int) -> None:
    """What was kept when a write returned is there; what was not is as before or as asked."""
    picked, disk = random.Random(seed), PowerCutDisk(seed)
    disk.make_folder(FOLDER)
    book = PendingBook(FOLDER, disk=disk)
    sure: Mapping[str, Pending] = {}
    asked = sure
    disk.writes_left = picked.randrange(1, 20)
    try:
        for number in range(20):
            one = replace(PENDING, switch=f"s{picked.randrange(3)}", action=f"a-{number}")
            if picked.random() < 0.3 and one.switch in sure:
                asked = {name: kept for name, kept in sure.items() if name != one.switch}
                await book.end(one)
            else:
                asked = {**sure, one.switch: one}
                await book.put(one)
            sure = asked
    except PowerOff:
        pass
    disk.cut()
    disk.writes_left = None
    again = PendingBook(FOLDER, disk=disk)
    assert not again.damage
    assert dict(again.standing.pending) in (dict(sure), dict(asked))


async def test_given_up_in_the_middle_of_a_write_the_next_one_waits() -> None:
    disk = PowerCutDisk()
    disk.make_folder(FOLDER)
    book = PendingBook(FOLDER, disk=disk)
    task = asyncio.ensure_future(book.put(PENDING))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await book.put(replace(PENDING, switch="edge"))
    assert PendingBook(FOLDER, disk=disk).of("edge") is not None
