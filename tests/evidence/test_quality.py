from datetime import date

import numpy as np

from controller.evidence.quality import indicators, quality
from controller.evidence.report import Line
from controller.store.rollup_rows import Bucket, QualityRow

DAY = date(2026, 9, 22)


def line(link: str, tier: str, contract: int, district: str = "east") -> Line:
    return Line(
        link=link, name=link, school=link.partition("/")[0], district=district, tier=tier,
        contract_mbps=contract,
    )  # fmt: skip


LINES = {
    one.link: one
    for one in (
        line("a/up", "uplink", 10_000),
        line("b/up", "uplink", 1000),
        line("c/up", "uplink", 10_000),
        line("a/c1", "class", 1000),
        line("a/c2", "class", 1000),
        line("b/c1", "class", 1000, "west"),
    )
}  # fmt: skip


def bucket(**rows: tuple[int, int, int]) -> Bucket:
    links = [name.replace("_", "/") for name in rows]
    values = np.array(list(rows.values()), np.int64).T
    return Bucket(
        "east",
        DAY.toordinal(),
        links,
        {
            "good_ns": values[0],
            "measured_ns": values[1],
            "service_ns": values[1] + 10,
            "unknown_ns": np.full(len(links), 10, np.int64),
            "samples": values[2],
            "contract_mbps": np.array([LINES[link].contract_mbps for link in links], np.int32),
        },
    )


def test_shares_are_of_what_is_known() -> None:
    rows = bucket(
        a_up=(99, 100, 5), b_up=(100, 100, 5), c_up=(0, 0, 0), a_c1=(100, 100, 5), a_c2=(98, 100, 5)
    )
    city, east = indicators([rows], LINES, "x")
    assert (city["scope"], east["scope"]) == ("x", "x/east")
    schools = city["schools_10g"]
    assert (schools["total"], schools["known"], schools["attained"]) == (3, 2, 1)
    assert schools["coverage_ratio"] == 0.666666667
    assert east["classes_1g"]["attained_ratio"] == 0.5


def test_quality_names_what_is_silent_the_worst_first() -> None:
    row = QualityRow(
        day=DAY, school="a", blocks=100, late=2, worst_age_ns=7 * 10**9, skew_ns=100 * 10**9,
        worst_skew_ns=-9 * 10**9,
    )  # fmt: skip
    items = quality([bucket(a_up=(90, 90, 5), a_c1=(90, 90, 0))], [row], LINES, {"a": 3})
    assert [one["id"] for one in items] == ["b", "c", "a"]
    last = items[-1]
    assert last["completeness_ratio"] == 0.9
    assert last["links_silent"] == ["a/c1", "a/c2"]
    assert (last["late_ratio"], last["duplicates"]) == (0.02, 3)
    assert (last["clock_skew_mean_seconds"], last["clock_skew_worst_seconds"]) == (1.0, -9.0)
    assert items[0]["completeness_ratio"] is None
