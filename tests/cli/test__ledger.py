import copy
import json
from pathlib import Path

import pytest

from controller.trust.book import Book
from controller.trust.chain import Told
from controller.trust.entries import Entry, LedgerError
from controller.trust.verify import rows_of, verify
from tenone.cli._ledger import folder_of, ledgered
from tenone.config import City, load_city
from tests.config.conftest import CITY, SCHOOL


@pytest.fixture
def city(tmp_path: Path) -> City:
    values = {**copy.deepcopy(CITY), "schools": [copy.deepcopy(SCHOOL)]}
    (tmp_path / "city.yaml").write_text(json.dumps(values))
    return load_city(tmp_path / "city.yaml")


def test_beside_a_running_controller(city: City) -> None:
    running = Book(folder_of(city), city="binhai", boot="b")
    for number in range(3):
        running.append([Told(Entry(act="test.write", actor="system"), 1, 1)])
        ledgered(city, "report.make", subject=f"no{number}", detail={"kind": "sla"})
    running.close()
    assert verify(folder_of(city)).bad is None
    bodies = [json.loads(row.body) for row in rows_of(folder_of(city))]
    made = [one for one in bodies if one["act"] == "report.make"]
    assert [one["subject"] for one in made] == ["no0", "no1", "no2"]
    assert made[0]["actor"].startswith("console:")


def test_a_ledger_that_cannot_be_written(city: City) -> None:
    folder_of(city).parent.mkdir(parents=True)
    folder_of(city).write_text("in the way")
    with pytest.raises(LedgerError, match="cannot be written"):
        ledgered(city, "report.make")
