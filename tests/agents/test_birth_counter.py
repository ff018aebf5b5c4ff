from pathlib import Path

import pytest

from agents.birth_counter import FILE, BirthCounter
from tenone.journal.disk import OsDisk


def test_the_number_survives_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    assert BirthCounter(folder, disk=OsDisk()).last() is None
    BirthCounter(folder, disk=OsDisk()).store(255)
    assert BirthCounter(folder, disk=OsDisk()).last() == 255


@pytest.mark.parametrize("spoilt", [b"", b"x", b"256", b"-1", b"\xff\xfe", b"1 2"])
def test_a_spoilt_file_is_a_first_start(tmp_path: Path, spoilt: bytes) -> None:
    (tmp_path / FILE).write_bytes(spoilt)
    assert BirthCounter(tmp_path, disk=OsDisk()).last() is None
