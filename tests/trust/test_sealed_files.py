"""Files of TenOne's own secrets: sealed where there is a vault, and taken over once."""

import ssl
from pathlib import Path

import pytest

from tenone.trust.envelope import KeyKey, Suite
from tenone.trust.files import KeyFileError, write_whole
from tenone.trust.sealed_files import MAGIC, SealedFiles, is_sealed

CANARY = b"canary-of-our-own \x00\xff"


@pytest.fixture(params=list(Suite))
def sealed(request: pytest.FixtureRequest) -> SealedFiles:
    key = KeyKey.fresh()
    return SealedFiles(lambda: (request.param, key))


def test_sealed_and_read(tmp_path: Path, sealed: SealedFiles) -> None:
    path = tmp_path / "k"
    sealed.write(path, "a key", CANARY)
    assert is_sealed(path.read_bytes())
    assert CANARY not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert sealed.read(path, "a key") == CANARY


def test_a_clear_one_is_taken_over_once(tmp_path: Path, sealed: SealedFiles) -> None:
    path = tmp_path / "k"
    write_whole(path, CANARY)
    assert SealedFiles().read(path, "a key") == CANARY
    assert path.read_bytes() == CANARY, "without a vault it stays as it is"
    assert sealed.read(path, "a key") == CANARY
    after = path.read_bytes()
    assert is_sealed(after)
    assert CANARY not in after
    assert sealed.read(path, "a key") == CANARY
    assert path.read_bytes() == after, "it is written once"
    assert [one.name for one in tmp_path.iterdir()] == ["k"], "nothing is left beside it"


def test_what_does_not_open(tmp_path: Path, sealed: SealedFiles) -> None:
    path, other = tmp_path / "k", tmp_path / "other"
    sealed.write(path, "a key", CANARY)
    sealed.write(other, "another key", CANARY)
    with pytest.raises(KeyFileError, match="put in another's place"):
        sealed.read(path, "another key")
    with pytest.raises(KeyFileError, match="name that vault"):
        SealedFiles().read(path, "a key")
    stranger = KeyKey.fresh()
    with pytest.raises(KeyFileError, match="another vault"):
        SealedFiles(lambda: (Suite.AES, stranger)).read(path, "a key")
    good = path.read_bytes()
    for place in range(len(MAGIC), len(good) - 1, 7):
        write_whole(path, good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(KeyFileError, match="does not open"):
            sealed.read(path, "a key")
    write_whole(path, MAGIC + b"[]\n")
    with pytest.raises(KeyFileError, match="does not open"):
        sealed.read(path, "a key")
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        sealed.read(path, "a key")


def test_for_a_library_that_takes_paths(tmp_path: Path, sealed: SealedFiles) -> None:
    path = tmp_path / "k"
    sealed.write(path, "a key", CANARY)
    with sealed.opened(path, "a key") as place:
        assert Path(place).read_bytes() == CANARY
        assert Path(place).read_bytes() == CANARY, "as often as wanted"
        with pytest.raises(ssl.SSLError):
            ssl.create_default_context().load_cert_chain(place)
    assert not Path(place).exists() or Path(place).read_bytes() != CANARY


def test_a_key_that_cannot_be_had(tmp_path: Path) -> None:
    def opening() -> None:
        raise KeyFileError("the vault is away")

    with pytest.raises(KeyFileError, match="away"):
        SealedFiles(opening).write(tmp_path / "k", "a key", CANARY)
    assert not list(tmp_path.iterdir())


def test_a_key_made_by_a_command_beside_a_running_service_is_used(tmp_path: Path) -> None:
    """What it wrote afterwards would have been in the clear again."""
    keys: list[tuple[Suite, KeyKey]] = []
    files = SealedFiles(lambda: keys[-1] if keys else None)
    files.write(tmp_path / "k", "a key", CANARY)
    assert not is_sealed((tmp_path / "k").read_bytes())
    keys.append((Suite.AES, KeyKey.fresh()))
    SealedFiles(lambda: keys[-1]).write(tmp_path / "k", "a key", CANARY)
    assert files.read(tmp_path / "k", "a key") == CANARY
    files.write(tmp_path / "k", "a key", CANARY)
    assert is_sealed((tmp_path / "k").read_bytes())
