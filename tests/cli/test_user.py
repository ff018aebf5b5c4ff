"""``tenone user`` on the records of a stopped controller: codes, rules, notes for the ledger."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from controller.store.records import SqlRecords
from controller.trust.people.records import AccountRecords
from tenone.cli.main import build
from tenone.config import load_city

CITY = """
schema_version: 1
city: {id: binhai, name: Binhai}
districts: [{id: east, name: East}]
schools:
  - schema_version: 1
    school: {id: no1, name: No. 1, district: east, city: binhai}
    uplink: {broker: {host: 127.0.0.1, port: 1883}}
broker: {embedded: true, port: 1883}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "city.yaml"
    path.write_text(f"{CITY}store: {{path: {tmp_path / 'store'}}}\n")
    return path


def user(config: Path, what: str, *words: str) -> Result:
    return CliRunner().invoke(build(["user"]), ["user", what, "-c", str(config), *words])


def test_an_account_from_its_making_to_its_end(config: Path) -> None:
    made = user(config, "add", "chen", "--grant", "security-admin@", "--display", "陈静")
    assert re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$", made.output.strip())
    assert user(config, "grant", "chen", "--add", "operator@binhai/east/no1").exit_code == 0
    listed = user(config, "list").output
    assert "operator@binhai/east/no1, security-admin@/" in listed
    assert "second factor missing" in listed
    for what in ("disable", "enable", "reset", "remove"):
        assert user(config, what, "chen").exit_code == 0, what
    records = SqlRecords(load_city(config).records.url)
    records.start()
    accounts = AccountRecords(records.engine)
    acts = [entry.act for _, entry in accounts.notes()]
    assert all(entry.actor.startswith("console:") for _, entry in accounts.notes())
    records.close()
    assert acts == [
        "account.create", "account.grant", "account.disable", "account.enable", "account.reset",
        "account.remove",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add", "Bad Name"), 1, "cannot be an account's name"),
        (("add", "li", "--grant", "emperor@"), 2, "is no grant"),
        (("add", "li", "--grant", "viewer@binhai/west"), 2, "no scope"),
        (("add", "li", "--grant", "viewer@Binhai"), 2, "is no grant"),
        (("add", "li", "--grant", "audit-admin@", "--grant", "system-admin@"), 1, "kept apart"),
        (("disable", "nobody"), 1, "no account"),
    ],
)
def test_refusals_are_sentences(config: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = user(config, *words)
    assert done.exit_code == code
    assert said in done.output
