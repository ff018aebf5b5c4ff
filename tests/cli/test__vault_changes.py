"""What a change of a vault tells the city's ledger; a gateway has none."""

import copy
import json
from pathlib import Path

import pytest

from controller.trust.verify import rows_of
from tenone.cli._ledger import folder_of
from tenone.cli._vault_changes import known, refuse_set_back, seen, tell
from tenone.config import SecretError, load_city
from tenone.journal.disk import OsDisk
from tenone.trust.envelope import KeyKey
from tenone.trust.vault import Vault
from tenone.trust.vault_mark import Mark, keep_mark
from tests.config.conftest import CITY, SCHOOL


@pytest.fixture
def city(tmp_path: Path) -> Path:
    values = {**copy.deepcopy(CITY), "schools": [copy.deepcopy(SCHOOL)]}
    (tmp_path / "city.yaml").write_text(json.dumps(values))
    return tmp_path / "city.yaml"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.create(tmp_path / "v", KeyKey.fresh())


def test_a_city(city: Path, vault: Vault) -> None:
    folder = folder_of(load_city(city))
    tell(city, "secret.set", "x")
    seen(city, vault)
    assert known(city, vault) is None
    assert not folder.exists(), "a city that has never run has no ledger"
    folder.mkdir(parents=True)
    tell(city, "secret.set", "x")
    seen(city, vault)
    assert known(city, vault) == Mark(vault.id, 1)
    acts = [json.loads(row.body)["act"] for row in rows_of(folder)]
    assert acts[-2:] == ["secret.set", "secret.seen"]
    refuse_set_back(city, vault)


def test_a_ledger_that_cannot_be_written(city: Path, vault: Vault) -> None:
    folder = folder_of(load_city(city))
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")
    with pytest.raises(SecretError, match="nothing is changed"):
        tell(city, "secret.set", "x")
    with pytest.raises(SecretError, match="it is done"):
        seen(city, vault)


def test_a_gateway(tmp_path: Path, vault: Vault) -> None:
    file = tmp_path / "school.yaml"
    file.write_text(json.dumps(copy.deepcopy(SCHOOL) | {"outbox": {"path": "outbox"}}))
    tell(file, "secret.set", "x")
    seen(file, vault)
    assert known(file, vault) is None
    keep_mark(tmp_path / "outbox", Mark(vault.id, 9), OsDisk())
    with pytest.raises(SecretError, match="change 1, and change 9 is known"):
        refuse_set_back(file, vault)
    file.write_text("school: {}")
    assert known(file, vault) is None, "the rest of the file need not be in order"
