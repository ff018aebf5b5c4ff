"""All schools at once equals one school at a time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from controller.plan import CityPlan, DevicePlan, DistrictPlan, LinkPlan, SchoolPlan, SwitchPlan
from controller.state.columns import Links
from controller.state.numbering import TIERS, Numbering
from controller.state.summary import NONE, summarise
from tenone.vocabulary.states import Severity, Tier, Verdict

LINK = st.tuples(
    st.integers(0, 3),  # school
    st.sampled_from(TIERS),
    st.sampled_from(list(Verdict)),
    st.sampled_from([Severity.WARNING, Severity.CRITICAL]),
)
Row = tuple[int, Tier, Verdict, Severity]


def city(rows: list[Row], boards: list[int]) -> Numbering:
    return Numbering(
        CityPlan(
            id="c",
            name="C",
            districts=[DistrictPlan(id="a", name="A"), DistrictPlan(id="b", name="B")],
            schools=[SchoolPlan(id=f"s{n}", district="ab"[n % 2], name="S") for n in range(4)],
            switches=[SwitchPlan(school="s0", name="w")],
            links=[
                LinkPlan(
                    school=f"s{school}", link=f"l{number}", name="L", tier=tier, room=None,
                    contract_mbps=1000, switch=None, port=None,
                )
                for number, (school, tier, _, _) in enumerate(rows)
            ],
            devices=[
                DevicePlan(school=f"s{school}", kind="board", serial=f"b{n}", name="B", room=None)
                for n, school in enumerate(boards)
            ],
        )
    )  # fmt: skip


@given(st.lists(LINK, max_size=25), st.lists(st.integers(0, 3), max_size=6))
def test_columns_equal_one_school_at_a_time(rows: list[Row], boards: list[int]) -> None:
    numbering = city(rows, boards)
    links = Links(len(rows))
    said = {f"s{row[0]}/l{number}": row for number, row in enumerate(rows)}
    ordered = [said[plan.id] for plan in numbering.links]
    for number, (_, _, verdict, severity) in enumerate(ordered):
        links.verdict[number] = verdict
        links.severity[number] = severity if verdict is Verdict.BAD else Severity.NONE
    online = np.arange(len(boards)) % 2 == 0
    summary = summarise(numbering, links, online)
    for number, school in enumerate(numbering.schools):
        mine = [(index, row) for index, row in enumerate(ordered) if f"s{row[0]}" == school.id]
        verdicts = {row[2] for _, row in mine}
        expected = Verdict.UNKNOWN
        if Verdict.BAD in verdicts:
            expected = Verdict.BAD
        elif verdicts == {Verdict.GOOD}:
            expected = Verdict.GOOD
        assert summary.verdict[number] == expected
        bad = [(index, row[3]) for index, row in mine if row[2] is Verdict.BAD]
        assert summary.severity[number] == max((one for _, one in bad), default=Severity.NONE)
        if bad:
            worst = max(bad, key=lambda one: (one[1], -one[0]))[0]
        else:
            unknown = [index for index, row in mine if row[2] is Verdict.UNKNOWN]
            worst = unknown[0] if unknown else NONE
        assert summary.worst[number] == worst
        for tally in summary.tallies(range(number, number + 1)):
            of_tier = [row[2] for _, row in mine if row[1] is tally.tier]
            assert (tally.good, tally.bad, tally.unknown) == tuple(
                of_tier.count(one) for one in (Verdict.GOOD, Verdict.BAD, Verdict.UNKNOWN)
            )
            assert tally.total == len(of_tier) > 0
        span = numbering.span_of(range(number, number + 1)).boards
        assert summary.boards_online[number] == int(online[span.start : span.stop].sum())
    assert sum(tally.total for tally in summary.tallies(range(4))) == len(rows)
