"""Links as Prometheus' text: any figures come back as they were, whatever the names."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from controller.api.metrics_links import AVAILABLE, FAMILIES, LINES_AT_ONCE, link_text
from controller.views import LinkFigures, LinkLabel

VALUES = st.one_of(st.just(float("nan")), st.floats(0, 1e12, allow_subnormal=False))
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=6)
LABELS = st.lists(st.tuples(NAMES, NAMES, NAMES, NAMES), unique_by=lambda one: one[2], max_size=5)


def read(text: bytes) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels["link"]): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


@settings(max_examples=50)
@given(labels=LABELS, data=st.data())
def test_what_is_written_reads_back(labels: list[LinkLabel], data: st.DataObject) -> None:
    column = st.lists(VALUES, min_size=len(labels), max_size=len(labels))
    columns = {name: np.array(data.draw(column), np.float64) for _, _, name, _ in FAMILIES}
    text = b"".join(
        link_text(LinkFigures(labels=labels, columns=columns), lambda _link: (0.5, None))
    )
    expected = {
        (name, label[2]): value
        for name, _, column_name, factor in FAMILIES
        for label, value in zip(labels, (columns[column_name] * factor).tolist(), strict=True)
        if not np.isnan(value)
    }
    expected |= {(AVAILABLE[0][0], label[2]): 0.5 for label in labels}
    assert read(text) == expected


def test_many_links_come_in_pieces() -> None:
    count = LINES_AT_ONCE + 1
    labels = [("east", "no1", f"no1/{number}", "class") for number in range(count)]
    columns = {name: np.full(count, np.nan) for _, _, name, _ in FAMILIES}
    columns["verdict"] = np.zeros(count)
    pieces = list(
        link_text(LinkFigures(labels=labels, columns=columns), lambda _link: (None, None))
    )
    assert max(piece.count(b"\n") for piece in pieces) == LINES_AT_ONCE
    assert len(read(b"".join(pieces))) == count
