import json
from pathlib import Path

import pytest

from firmware_sims.switch.model import Neighbour
from firmware_sims.switch.plan import Plan, alike, read, write
from firmware_sims.switch.vendors import Vendor

FULL = Plan(
    name="no3.core",
    vendor=Vendor.ZTE,
    ports=8,
    uplinks=1,
    virtual=False,
    community="secret",
    location="第三中学",
    set={"gei-0/1/1/2": {"oper": "down"}},
    neighbours=(Neighbour("gei-0/1/1/1", "floor-1", "Gi0/9", bytes.fromhex("020304050607")),),
)


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    path.write_text(write([FULL, Plan(name="a", vendor=Vendor.H3C)]))
    assert read(path) == [FULL, Plan(name="a", vendor=Vendor.H3C)]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("nonsense", "Expecting value"),
        ("{}", "a list belongs here"),
        ("[3]", "'switch 1' must be an object"),
        ([{"vendor": "h3c"}], "switch 1: 'name' must be text"),
        ([{"name": "a", "vendor": "juniper"}], "no vendor is called 'juniper'"),
        ([{"name": "a", "vendor": "h3c", "speed": 1}], "'speed' is not known"),
        ([{"name": "a", "vendor": "h3c", "ports": 0}], "from 1 to 512"),
        ([{"name": "a", "vendor": "h3c", "set": []}], "'set' must be an object"),
        ([{"name": "a", "vendor": "h3c", "neighbours": {}}], "a list belongs here"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, content: object, complaint: str) -> None:
    path = tmp_path / "fleet.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(ValueError, match=complaint) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_vendors_come_in_turn() -> None:
    plans = alike(
        count=5,
        vendors=[Vendor.HUAWEI, Vendor.ZTE],
        ports=4,
        uplinks=1,
        virtual=True,
        community="c",
    )
    assert [(plan.name, plan.vendor) for plan in plans] == [
        ("sw1", Vendor.HUAWEI),
        ("sw2", Vendor.ZTE),
        ("sw3", Vendor.HUAWEI),
        ("sw4", Vendor.ZTE),
        ("sw5", Vendor.HUAWEI),
    ]
