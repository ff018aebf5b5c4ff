"""Vendor files: the ones we ship, what is refused, and whom a file is for."""

import pytest

from drivers.snmp.vendor_tables import VendorFileError, parse_vendor, tables_for, vendor_specs
from tenone.vocabulary.surroundings import SURROUNDINGS

GOOD = """
enterprises: [2011]
tables:
  - stream: aps
    root: 1.3.6.1.4.1.2011.9
    index: [mac]
    key: "{0}"
    columns:
      ap_name: {column: 4, as: text}
    required: [4]
"""


def test_the_shipped_files() -> None:
    specs = vendor_specs()
    assert {spec.source.partition("-")[0] for spec in specs} == {
        "aruba", "cisco", "h3c", "huawei", "ruijie", "tplink", "ubiquiti", "zte",
    }  # fmt: skip
    for spec in specs:
        assert spec.enterprises
        for table in spec.tables:
            assert table.root[:6] == (1, 3, 6, 1, 4, 1)
            assert table.required
            read = {column.column for column in table.columns} | {table.name}
            assert set(table.required) <= read, f"{spec.source} {table.stream}"
            assert {column.name for column in table.columns} <= set(SURROUNDINGS[table.stream])


@pytest.mark.parametrize(
    ("enterprise", "descr", "sources"),
    [
        (2011, "Huawei AC6605", {"huawei"}),
        (8072, "UAP-nanoHD 5.43", {"ubiquiti"}),
        (8072, "Linux nas", set()),
        (11863, "Omada 18-Port Smart Switch", set()),
        (11863, "EAP610", {"tplink"}),
        (None, "", set()),
    ],
)
def test_whom_a_file_is_for(enterprise: int | None, descr: str, sources: set[str]) -> None:
    tables = tables_for(vendor_specs(), enterprise, descr)
    assert {table.source.partition("-")[0] for table in tables} == sources


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("stream: aps", "stream: apps", "no such stream"),
        ("ap_name:", "ap_nom:", "no column"),
        ("as: text", "as: words", "no way to read"),
        ("[mac]", "[mac, moon]", "moon"),
        ("column: 4", "column: 1.10", "quotes"),
        ("enterprises: [2011]", "", "cannot be read"),
        ("tables:", "tables: [", "cannot be read"),
    ],
)
def test_what_is_refused(old: str, new: str, sentence: str) -> None:
    assert parse_vendor("good", GOOD).tables
    with pytest.raises(VendorFileError, match=f"^here.*{sentence}"):
        parse_vendor("here", GOOD.replace(old, new))
