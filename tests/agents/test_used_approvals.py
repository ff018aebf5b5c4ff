"""Used approvals: no power cut, damage or clock brings one back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.used_approvals import COMPACT_LINES, FILE_NAME, MOST, UsedApprovals
from tenone.journal.disk import OsDisk
from tenone.trust.approval import LIFE_MS, TOLERANCE_MS, Approval, Refusal, Refused
from tests.journal.conftest import PowerCutDisk, PowerOff
from tests.trust.approving import NOW_MS, approval

FOLDER = Path("/outbox")


def document(number: int, at_ms: int = NOW_MS) -> Approval:
    return approval(
        action=f"a-{number}",
        nonce=f"{number:032x}",
        issued_ms=at_ms,
        expires_ms=at_ms + LIFE_MS,
    )


def opened(disk: PowerCutDisk, now_ms: int | None = NOW_MS) -> UsedApprovals:
    return UsedApprovals(FOLDER, disk=disk, now_ms=now_ms)


def aged(disk: PowerCutDisk) -> UsedApprovals:
    """One whose first start was long ago, so that nothing of today is below its floor."""
    opened(disk, NOW_MS - 10 * LIFE_MS)
    return opened(disk)


def opened_long_ago(folder: Path) -> None:
    """Leave the file of an agent that was started before anything was approved."""
    UsedApprovals(folder, disk=OsDisk(), now_ms=1)


def refusal(used: UsedApprovals, one: Approval, now_ms: int = NOW_MS) -> Refusal | None:
    try:
        used.use(one, now_ms)
    except Refused as refused:
        return refused.why
    return None


def test_an_approval_is_used_once_also_after_a_restart() -> None:
    disk = PowerCutDisk()
    used = aged(disk)
    assert refusal(used, document(1)) is None
    assert refusal(used, document(1)) is Refusal.USED
    again = opened(disk)
    assert refusal(again, document(1)) is Refusal.USED
    assert refusal(again, document(2)) is None


def test_neither_its_nonce_nor_its_action_comes_again() -> None:
    used = aged(PowerCutDisk())
    assert refusal(used, document(1)) is None
    assert refusal(used, approval(action="a-1", nonce="f" * 32)) is Refusal.USED
    assert refusal(used, approval(action="a-9", nonce=f"{1:032x}")) is Refusal.USED


@pytest.mark.parametrize("seed", range(40))
def test_a_power_cut_at_any_write_never_lets_one_be_used_twice(seed: int) -> None:
    """Used means: use() returned. 30 documents, the power goes after so many writes, again."""
    disk = PowerCutDisk(seed)
    used = aged(disk)
    done: list[int] = []
    for number in range(30):
        disk.writes_left = (seed + number) % 4
        while True:
            try:
                if refusal(used, document(number)) is None:
                    done.append(number)
                break
            except PowerOff:
                disk.cut()
                disk.writes_left = None
                used = opened(disk)
        disk.cut()
        disk.writes_left = None
        used = opened(disk)
        for old in done:
            assert refusal(used, document(old)) is Refusal.USED
    assert len(done) == len(set(done))
    assert done  # the disk was not always dead


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.replace(b"a-1", b"a-7"),
        lambda _: b"",
        lambda _: b"rubbish\n",
        lambda data: data.replace(b" ", b"\n", 1),
        lambda data: b"\xff\xfe\n" + data,
    ],
)
def test_damage_forgets_nothing_that_was_used(damage: Callable[[bytes], bytes]) -> None:
    disk = PowerCutDisk()
    used = aged(disk)
    assert refusal(used, document(1)) is None
    path = FOLDER / FILE_NAME
    disk.replace(path, damage(disk.read(path)))
    later = NOW_MS + 1000
    again = opened(disk, later)
    assert refusal(again, document(1), later) is Refusal.USED
    assert refusal(again, document(2), later) is Refusal.USED  # nobody knows
    fresh = later + TOLERANCE_MS + 1
    assert refusal(again, document(3, fresh), fresh) is None
    assert refusal(opened(disk, fresh), document(3, fresh), fresh) is Refusal.USED


def test_a_file_removed_while_the_agent_runs_forgets_nothing() -> None:
    """What is used after that makes a new file, which must not pass for a whole one."""
    disk = PowerCutDisk()
    used = aged(disk)
    assert refusal(used, document(1)) is None
    disk.remove(FOLDER / FILE_NAME)
    assert refusal(used, document(2)) is None
    again = opened(disk)
    assert refusal(again, document(1)) is Refusal.USED
    assert refusal(again, document(2)) is Refusal.USED
    fresh = NOW_MS + TOLERANCE_MS + 1
    assert refusal(again, document(3, fresh), fresh) is None


def test_a_lost_file_is_mended_only_when_the_clock_is_known() -> None:
    """A gateway without a battery starts in 1970: a floor of 1970 would protect nothing."""
    disk = PowerCutDisk()
    used = aged(disk)
    assert refusal(used, document(1)) is None
    disk.remove(FOLDER / FILE_NAME)
    early = opened(disk, None)
    assert refusal(early, document(1)) is Refusal.USED
    assert refusal(opened(disk, NOW_MS), document(1)) is Refusal.USED


def test_a_clock_that_is_set_back_brings_nothing_back() -> None:
    disk = PowerCutDisk()
    used = aged(disk)
    assert refusal(used, document(1)) is None
    later = NOW_MS + 2 * LIFE_MS
    assert refusal(used, document(2, later), later) is None  # the first one is dropped here
    assert len(used) == 1
    assert refusal(used, document(1)) is Refusal.CLOCK
    assert refusal(used, document(1), later) is Refusal.USED
    assert refusal(used, document(3, NOW_MS), later - TOLERANCE_MS) is Refusal.USED


def test_a_disk_that_takes_nothing_means_no() -> None:
    disk = PowerCutDisk()
    used = aged(disk)
    disk.fail_sync = True
    assert refusal(used, document(1)) is Refusal.NOT_KEPT
    assert refusal(used, document(1)) is Refusal.USED  # it may have been written
    disk.fail_sync = False
    assert refusal(used, document(2)) is None
    assert refusal(opened(disk), document(1)) is Refusal.USED


def test_the_file_stays_small() -> None:
    disk = PowerCutDisk()
    used = aged(disk)
    for number in range(MOST):
        assert refusal(used, document(number)) is None
    assert refusal(used, document(MOST)) is Refusal.FULL
    at_ms = NOW_MS
    for number in range(MOST + 1, 3 * MOST):
        at_ms += LIFE_MS // 100
        assert refusal(used, document(number, at_ms), at_ms) is None or len(used) >= MOST
    assert len(disk.read(FOLDER / FILE_NAME)) < 140 * (COMPACT_LINES + 1)


def test_on_a_real_disk(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    UsedApprovals(folder, disk=OsDisk(), now_ms=NOW_MS - 10 * LIFE_MS)
    assert refusal(UsedApprovals(folder, disk=OsDisk(), now_ms=NOW_MS), document(1)) is None
    again = UsedApprovals(folder, disk=OsDisk(), now_ms=NOW_MS)
    assert refusal(again, document(1)) is Refusal.USED
