"""Names of Ethernet ports as recorded switches report them, per vendor."""

import csv
import json
import os
import re
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("TENONE_CAPTURES", Path(__file__).parents[3] / "shared" / "data"))
ETHERNET = {"ethernetCsmacd", "6", "117", "gigabitEthernet"}
_TRUTHS = {
    "cisco": ("ios_2960x", "iosxe_c9300"),
    "ruijie": ("ruijie",),
    "zte": ("zxr10_5950",),
}
_WALKS = {
    "cisco": ("cisco-c3560",),
    "ruijie": ("ruijie-s5750-24gt12sfp",),
    "zte": ("zte-zxr10-5250",),
}
_NOT_FRONT = re.compile(r"(?i)vlan.*|mgmt_eth|null.*")
"""Typed as Ethernet by ZTE, and no socket with a number."""
IF_DESCR, IF_TYPE, IF_NAME = (
    "1.3.6.1.2.1.2.2.1.2.",
    "1.3.6.1.2.1.2.2.1.3.",
    "1.3.6.1.2.1.31.1.1.1.1.",
)


def reported(vendor: str) -> list[str]:
    """ifName and ifDescr of every Ethernet port; skips where there are no recordings."""
    if not (FOLDER / "snmp").is_dir():
        pytest.skip(f"no recorded devices in {FOLDER}: set TENONE_CAPTURES")
    found: set[str] = set()
    for name in _TRUTHS[vendor]:
        truth = json.loads((FOLDER / "snmp" / f"{name}.truth.json").read_text("utf-8"))
        at = {column: place for place, column in enumerate(truth["port_columns"])}
        for row in truth["ports"]:
            if row[at["ifType"]] in ETHERNET:
                found |= {row[at["ifName"]], row[at["ifDescr"]]}
    for name in _WALKS[vendor]:
        found |= _walked(FOLDER / "snmp-full" / f"{name}.snmprec")
    return sorted(one for one in found if not _NOT_FRONT.fullmatch(one.split(" ")[0]))


def _walked(path: Path) -> set[str]:
    columns: dict[str, dict[str, str]] = {IF_DESCR: {}, IF_TYPE: {}, IF_NAME: {}}
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE):
            for start, cells in columns.items():
                if row[0].startswith(start):
                    tag, text = row[1], "|".join(row[2:])
                    if tag.endswith("x"):
                        text = bytes.fromhex(text).decode("utf-8", "replace")
                    cells[row[0].removeprefix(start)] = text.strip("\0 ")
    return {
        columns[start][index]
        for start in (IF_NAME, IF_DESCR)
        for index, kind in columns[IF_TYPE].items()
        if kind in ETHERNET and columns[start].get(index)
    }
