"""The city's approval keys on disk."""

from pathlib import Path

import pytest

from controller.trust.approval_signer import FILE_NAME, ApprovalSigner
from tenone.trust.approval import LIFE_MS, Risk, check_time, plan_hash
from tenone.trust.files import KeyFileError
from tenone.trust.sealed_files import SealedFiles
from tests.trust.approving import LINES, NOW_MS


def test_keys_are_made_once_and_kept_private(tmp_path: Path) -> None:
    signer = ApprovalSigner(tmp_path, "c")
    assert ApprovalSigner(tmp_path, "c").keys == signer.keys
    assert signer.keys.number == 1
    assert signer.keys.current != signer.keys.next
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0


def test_what_it_signs_is_good_for_fifteen_minutes(tmp_path: Path) -> None:
    signer = ApprovalSigner(tmp_path, "c")
    approval, signed = signer.sign(
        school="no1",
        action="a-1",
        risk=Risk.HIGH,
        intent="port.renegotiate",
        parameters={},
        plan=plan_hash(LINES),
        state=bytes(32),
        requester="account:li",
        approvers=("account:zhao", "account:wang"),
        now_ms=NOW_MS,
    )
    assert signed.approval(signer.keys.pins) == approval
    assert approval.approvers == ("account:wang", "account:zhao")
    assert approval.expires_ms - approval.issued_ms == LIFE_MS
    check_time(approval, NOW_MS)


def test_a_rotation_is_announced_by_the_old_key(tmp_path: Path) -> None:
    signer = ApprovalSigner(tmp_path, "c")
    pinned = signer.keys
    told = signer.rotate()
    assert told.after(pinned) == signer.keys
    assert signer.keys.current == pinned.next
    assert signer.keys.number == 2
    again = ApprovalSigner(tmp_path, "c")
    assert again.keys == signer.keys
    assert again.announcement == told


@pytest.mark.parametrize("text", ["", "{}", '{"number": 1, "current": "00"}', "[]"])
def test_a_damaged_file_says_what_to_do(tmp_path: Path, text: str) -> None:
    ApprovalSigner(tmp_path, "c")
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(KeyFileError, match="enrol every school anew"):
        ApprovalSigner(tmp_path, "c")


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    ApprovalSigner(tmp_path, "c")
    (tmp_path / FILE_NAME).chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        ApprovalSigner(tmp_path, "c")


def test_a_rotation_in_the_middle_of_reading_is_not_missed(tmp_path: Path) -> None:
    class Overtaken(SealedFiles):
        beside: ApprovalSigner | None = None

        def read(self, path: Path, what: str) -> bytes:
            data = super().read(path, what)
            beside, self.beside = self.beside, None
            if beside is not None:
                beside.rotate()
            return data

    files = Overtaken()
    signer = ApprovalSigner(tmp_path, "c", files)
    other = ApprovalSigner(tmp_path, "c")
    other.rotate()
    files.beside = other
    assert signer.keys == other.keys
    assert signer.keys.number == 3
