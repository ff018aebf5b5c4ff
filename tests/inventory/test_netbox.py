"""NetBox's tables out and back: the same inventory differs in nothing, every change is named."""

import csv
import io
from pathlib import Path

import pytest

from controller.inventory.netbox import COLUMNS, NetboxError, export, fragment, propose
from tenone.config import City, load_city
from tests.controller.harness import write_city


@pytest.fixture
def city(tmp_path: Path) -> City:
    return load_city(
        write_city(tmp_path / "city", broker_port=1, http_port=2, schools=("no1", "no2"))
    )


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_tables_have_the_columns_of_netboxs_import(city: City) -> None:
    tables = export(city, city.schools)
    assert {name: tuple(rows(text)[0]) for name, text in tables.items()} == dict(COLUMNS)
    assert [row["slug"] for row in rows(tables["sites"])] == ["no1", "no2"]
    devices = {row["name"]: row for row in rows(tables["devices"])}
    assert set(devices) == {"no1-sw1", "no1-board-b1", "no2-sw1", "no2-board-b1"}
    assert devices["no1-sw1"]["site"] == "no1"
    up = next(row for row in rows(tables["interfaces"]) if row["label"] == "up")
    assert (up["device"], up["name"], up["type"]) == ("no1-sw1", "XGE1", "10gbase-x-sfpp")
    assert up["speed"] == "10000000"
    cable = rows(tables["cables"])[0]
    assert cable["label"] == "c301"
    assert (cable["side_a_name"], cable["side_b_device"]) == ("GE1", "no1-board-b1")


def test_the_same_inventory_differs_in_nothing(city: City) -> None:
    tables = export(city, city.schools)
    for school in city.schools:
        made = propose(city, school, tables["devices"], tables["interfaces"])
        assert (made.differences, made.notes) == ([], [])
        assert set(made.links) == {link.id for link in school.links}


def test_every_change_is_named_and_the_fragment_says_it(city: City) -> None:
    school = city.schools[0]
    tables = export(city, (school,))
    devices = tables["devices"] + "no1-sw2,tenone-switch,m,t,active,no1,\r\n"
    interfaces = (
        tables["interfaces"].replace("no1-sw1,GE2,c302", "no1-sw2,GE9,c302").replace("c301", "c309")
    )
    made = propose(city, school, devices, interfaces)
    assert made.differences == [
        "+ switch sw2",
        "+ link c309: sw1 GE1",
        "~ link c302: switch sw1 -> sw2",
        "~ link c302: port GE2 -> GE9",
        "- link c301",
    ]
    text = fragment(school, made)
    assert "- {name: sw2}  # new: add host and snmp" in text
    assert '- {id: c302, tier: class, switch: sw2, port: "GE9", room: r302' in text
    assert '- {id: up, tier: uplink, switch: sw1, port: "XGE1"' in text


def test_a_switch_that_is_gone_is_named(city: City) -> None:
    school = city.schools[0]
    tables = export(city, (school,))
    devices = tables["devices"].replace("no1-sw1", "no9-sw1")
    made = propose(city, school, devices, tables["interfaces"])
    assert "- switch sw1" in made.differences
    assert all("not among the devices" in note for note in made.notes)


@pytest.mark.parametrize(
    ("devices", "interfaces", "said"),
    [
        ("role\r\n", "device,name,label\r\n", "devices line 1: the column 'name' is missing"),
        ("name,role\r\n", "device,name\r\n", "interfaces line 1: the column 'label' is missing"),
        (
            "name,role\r\n",
            "device,name,label,speed\r\nno1-sw1,GE1,c1,fast\r\n",
            "interfaces line 2: the speed 'fast'",
        ),
        (
            "name,role\r\n",
            "device,name,label\r\nno1-sw1,GE1,c1\r\nno1-sw1,GE2,c1\r\n",
            "interfaces line 3: link c1 stands on two ports",
        ),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    city: City, devices: str, interfaces: str, said: str
) -> None:
    with pytest.raises(NetboxError, match=said):
        propose(city, city.schools[0], devices, interfaces)


def test_a_label_that_is_no_link_is_a_note(city: City) -> None:
    table = "device,name,label\r\nno1-sw1,GE1,To the lab!\r\n"
    made = propose(city, city.schools[0], "name,role\r\n", table)
    assert made.notes == ["interfaces line 2: the label 'To the lab!' is no link id"]
