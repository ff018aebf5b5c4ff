"""The vault's own key seals files, over a change of the vault's key; where it cannot be made."""

from pathlib import Path

import pytest

from tenone.config.own_files import OWN_KEY, make_own_key, own_files
from tenone.config.secret import VaultPlace, vault_key
from tenone.config.vault import VaultConfig
from tenone.trust.envelope import KeyKey
from tenone.trust.files import KeyFileError, write_whole
from tenone.trust.sealed_files import is_sealed
from tenone.trust.vault import Vault


@pytest.fixture
def config(tmp_path: Path) -> VaultConfig:
    key = tmp_path / "key"
    write_whole(key, KeyKey.fresh().text.encode())
    found = VaultConfig.model_validate({"path": "v", "key": "file:key"}, context={"base": tmp_path})
    Vault.create(found.path, vault_key(found.key))
    return found


def place(config: VaultConfig) -> VaultPlace:
    return VaultPlace(config.path, config.key)


def test_it_outlives_the_vaults_key(tmp_path: Path, config: VaultConfig) -> None:
    path = tmp_path / "secret"
    write_whole(path, b"canary")
    assert own_files(config).read(path, "x") == b"canary"
    assert is_sealed(path.read_bytes())
    sealed = path.read_bytes()
    vault, fresh = place(config).open(), KeyKey.fresh()
    assert vault.has(OWN_KEY)
    vault.rewrap(fresh)
    write_whole(tmp_path / "key", fresh.text.encode())
    assert own_files(config).read(path, "x") == b"canary"
    assert path.read_bytes() == sealed, "no file is touched"
    generation = place(config).open().generation
    assert make_own_key(place(config)).generation == generation, "made once"


def test_without_a_vault(tmp_path: Path) -> None:
    own_files(None).write(tmp_path / "f", "x", b"clear")
    assert (tmp_path / "f").read_bytes() == b"clear"


def test_a_vault_that_cannot_be_written(
    tmp_path: Path, config: VaultConfig, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "v.lock").mkdir()  # as on a file system that is read-only: no lock can be had
    own_files(config).write(tmp_path / "f", "x", b"clear")
    assert (tmp_path / "f").read_bytes() == b"clear"
    assert "run 'tenone secret seal -c FILE'" in caplog.text


def test_a_vault_that_does_not_open(tmp_path: Path, config: VaultConfig) -> None:
    write_whole(tmp_path / "key", KeyKey.fresh().text.encode())
    with pytest.raises(KeyFileError, match="sealed with another key"):
        own_files(config).write(tmp_path / "f", "x", b"clear")
    assert not (tmp_path / "f").exists()
