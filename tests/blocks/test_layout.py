import hashlib
import json

import pytest

from tenone.blocks.layout import Layout, LayoutError, layout
from tenone.vocabulary.metrics import METRICS, PORT_STATE


def test_the_id_is_the_hash_of_the_document_and_depends_on_the_order() -> None:
    one = layout("port-state", PORT_STATE, ["a", "b"])
    other = layout("port-state", PORT_STATE, ["b", "a"])
    assert one.id == hashlib.sha256(one.document).digest()
    assert one.id != other.id
    assert Layout.parse(one.document) == one


def test_the_document_says_name_type_and_unit_for_a_reader_without_this_code() -> None:
    body = json.loads(layout("x", ["speed_mbps"], ["端口 1"]).document)
    assert body == {
        "columns": [{"name": "speed_mbps", "type": "uint32", "unit": "Mbit/s"}],
        "format": 1,
        "rows": ["端口 1"],
        "stream": "x",
    }


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"columns":[],"format":1,"rows":[1],"stream":"x"}',
        b'{"columns":[],"format":1,"rows":["a","a"],"stream":"x"}',
        b'{"columns":[{"name":"nonsense"}],"format":1,"rows":[],"stream":"x"}',
        b'{"columns":[],"format":1,"rows":[],"stream":"x" }',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"columns":[{"name":"oper","type":"uint8","unit":"m"}],"format":1,"rows":[],"stream":"x"}',
    ],
)
def test_what_is_no_layout(document: bytes) -> None:
    with pytest.raises(LayoutError):
        Layout.parse(document)


@pytest.mark.parametrize(
    ("columns", "rows"), [(["nope"], []), (["oper", "oper"], []), (["oper"], ["a", "a"])]
)
def test_a_layout_that_contradicts_itself(columns: list[str], rows: list[str]) -> None:
    with pytest.raises(LayoutError):
        layout("x", columns, rows)


def test_every_metric_has_a_unit_and_a_source() -> None:
    assert all(metric.unit and metric.source for metric in METRICS.values())
