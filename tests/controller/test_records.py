"""Records: dated rows, reconciled from the plan, asked as of any moment."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import controller.api.session_records  # the sessions' table
import controller.service  # noqa: F401 - every room brings its tables
from controller.plan import (
    CityPlan,
    DevicePlan,
    DistrictPlan,
    LinkPlan,
    SchoolPlan,
    SwitchPlan,
)
from controller.store.protocols import NS, LinkChange, StoreError
from controller.store.records import KEEP_CHANGES_NS, PortFacts, SqlRecords
from controller.store.tables import Base
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, Severity, Tier, Verdict

T0 = 1_790_000_000 * NS
LINK = LinkPlan(
    school="no1",
    link="c301",
    name="Class 3-1",
    tier=Tier.CLASS,
    room="r301",
    contract_mbps=1000,
    switch="sw1",
    port="GE1",
)
PLAN = CityPlan(
    id="binhai",
    name="Binhai",
    districts=[DistrictPlan(id="east", name="East"), DistrictPlan(id="west", name="West")],
    schools=[
        SchoolPlan(id="no1", district="east", name="No. 1"),
        SchoolPlan(id="no2", district="west", name="No. 2"),
    ],
    switches=[SwitchPlan(school="no1", name="sw1"), SwitchPlan(school="no2", name="sw1")],
    links=[LINK, replace(LINK, school="no2", link="up", tier=Tier.UPLINK, contract_mbps=10_000)],
    devices=[DevicePlan(school="no1", kind="board", serial="b1", name="B1", room="r301")],
)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[SqlRecords]:
    records = SqlRecords(f"sqlite:///{tmp_path}/sub/records.db")
    records.start()
    yield records
    records.close()


def change(link: str, at: int, verdict: Verdict, **values: int) -> LinkChange:
    return LinkChange(
        link=link,
        at_ns=at,
        since_ns=values.get("since_ns", at),
        verdict=verdict,
        severity=Severity.WARNING if verdict is Verdict.BAD else Severity.NONE,
        causes=1 << Cause.SPEED if verdict is Verdict.BAD else 0,
        oper=values.get("oper", 1),
        admin=1,
        speed_mbps=values.get("speed_mbps", 1000),
        duplex=values.get("duplex", 3),
        block_hash=b"h" * 32,
    )


def test_migrations_make_exactly_the_tables(records: SqlRecords) -> None:
    with records.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "records_version"})
        assert compare_metadata(context, Base.metadata) == []


def test_the_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    kept = SqlRecords(f"sqlite:///{tmp_path / 'new' / 'records.db'}")
    kept.start()
    modes = [one.stat().st_mode & 0o777 for one in (tmp_path / "new").iterdir()]
    kept.close()
    assert len(modes) > 1, "the log beside it, too"
    assert set(modes) == {0o600}


def test_starting_again_changes_nothing(records: SqlRecords) -> None:
    records.load(PLAN, T0)
    again = SqlRecords(records.engine.url.render_as_string())
    again.start()
    assert all((done.opened, done.closed) == (0, 0) for done in again.load(PLAN, T0 + 1))
    again.close()


def test_durable_settings(records: SqlRecords) -> None:
    with records.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "FULL"


def test_a_changed_binding_closes_the_old_row_and_keeps_the_link(records: SqlRecords) -> None:
    records.load(PLAN, T0)
    records.append_changes([change("no1/c301", T0 + 5, Verdict.GOOD)])
    moved = replace(PLAN, links=[replace(LINK, port="GE7"), PLAN.links[1]])
    done = {one.table: (one.opened, one.closed) for one in records.load(moved, T0 + 10 * NS)}
    assert done["binding"] == (1, 1)
    assert done["link"] == (0, 0)
    east = ScopePath.parse("binhai/east")
    before = records.as_of("bindings", east, T0 / NS + 9)
    after = records.as_of("bindings", east, T0 / NS + 10)
    assert [(row["port"], row["valid_from"]) for row in before] == [("GE1", T0 / NS)]
    assert [(row["port"], row["valid_from"]) for row in after] == [("GE7", T0 / NS + 10)]
    assert records.last_changes()["no1/c301"].since_ns == T0 + 5, "the history stays"


def test_what_the_plan_drops_is_closed_not_deleted(records: SqlRecords) -> None:
    records.load(PLAN, T0)
    records.load(replace(PLAN, links=[LINK], devices=[]), T0 + NS)
    city = ScopePath.parse("binhai")
    assert {row["id"] for row in records.as_of("links", city, T0 / NS)} == {"no1/c301", "no2/up"}
    assert {row["id"] for row in records.as_of("links", city, T0 / NS + 1)} == {"no1/c301"}
    assert records.as_of("links", city, T0 / NS - 1) == []
    with records.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM device")).scalar() == 1


@pytest.mark.parametrize(
    ("scope", "links"),
    [
        ("", {"no1/c301", "no2/up"}),
        ("binhai", {"no1/c301", "no2/up"}),
        ("binhai/west", {"no2/up"}),
        ("binhai/east/no1", {"no1/c301"}),
        ("binhai/west/no1", set()),
        ("elsewhere", set()),
        ("binhai/east/no1/building", set()),
    ],
)
def test_the_scope_is_a_prefix(records: SqlRecords, scope: str, links: set[str]) -> None:
    records.load(PLAN, T0)
    for resource in sorted(records.resources()):
        found = records.as_of(resource, ScopePath.parse(scope), T0 / NS)
        assert {row["id"] for row in found} == links


def test_a_link_as_of_a_moment_is_what_was_judged_then(records: SqlRecords) -> None:
    records.load(PLAN, T0)
    records.append_changes(
        [
            change("no1/c301", T0 + 10 * NS, Verdict.GOOD),
            change("no1/c301", T0 + 20 * NS, Verdict.BAD, speed_mbps=100),
            change("no1/c301", T0 + 30 * NS, Verdict.GOOD, duplex=0),
            change("no1/c301", T0 + 40 * NS, Verdict.GOOD, since_ns=T0 + 30 * NS),
            change("no1/c301", T0 + 200 * NS, Verdict.BAD, oper=2),
        ]
    )
    school = ScopePath.parse("binhai/east/no1")

    def then(seconds: float) -> tuple[object, ...]:
        (row,) = records.as_of("links", school, T0 / NS + seconds)
        return row["verdict"], row["negotiated_mbps"], row["duplex"], row["causes"], row["since"]

    assert then(5) == ("unknown", None, None, [], None)
    assert then(19) == ("good", 1000, "full", [], T0 / NS + 10)
    assert then(20) == ("bad", 100, "full", ["speed"], T0 / NS + 20)
    assert then(30) == ("good", 1000, None, [], T0 / NS + 30)
    assert then(99) == ("good", 1000, "full", [], T0 / NS + 30), "only the reason changed"
    assert then(200)[:3] == ("bad", None, None), "no link: what the switch tells is nominal"


def test_old_changes_go_but_never_the_newest(records: SqlRecords) -> None:
    old = [change("no1/c301", T0 + n, Verdict.GOOD) for n in range(3)]
    records.append_changes([*old, change("no2/up", T0, Verdict.BAD)])
    assert records.prune(T0 + KEEP_CHANGES_NS) == 0
    assert records.prune(T0 + KEEP_CHANGES_NS + 10) == 2
    assert {name: one.since_ns for name, one in records.last_changes().items()} == {
        "no1/c301": T0 + 2,
        "no2/up": T0,
    }


def test_inventory_is_dated_by_switch(records: SqlRecords) -> None:
    port = PortFacts(
        port="GE1", if_index=1, if_name="GE1", if_descr="GigabitEthernet1", if_alias="3-1",
        if_type=6, mtu=1500, mac="00:11:22:33:44:55",
    )  # fmt: skip
    other = replace(port, port="GE2", if_index=2)
    assert records.learn_ports("no1", "sw1", [port, other], T0).opened == 2
    assert records.learn_ports("no1", "sw2", [port], T0).closed == 0
    done = records.learn_ports("no1", "sw1", [replace(port, if_alias="3-2")], T0 + NS)
    assert (done.opened, done.closed) == (1, 2)
    assert records.ports_of(T0)["no1", "sw1"] == [port, other]
    assert [one.if_alias for one in records.ports_of(T0 + NS)["no1", "sw1"]] == ["3-2"]
    assert records.ports_of(T0 + NS)["no1", "sw2"] == [port]


def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match="cannot be opened"):
        SqlRecords(f"sqlite:///{tmp_path}/file/records.db").start()


def test_a_failed_write_is_told(records: SqlRecords) -> None:
    with records.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE link_change"))
    with pytest.raises(StoreError, match="records could not"):
        records.append_changes([change("no1/c301", T0, Verdict.GOOD)])


def test_what_happened_between_two_moments(records: SqlRecords) -> None:
    records.load(PLAN, T0)
    records.append_changes(
        [change("no2/up", T0 + 2, Verdict.BAD), change("no1/c301", T0 + 1, Verdict.GOOD)]
    )
    found = records.changes_between(T0 + 1, T0 + 3)
    assert [one.link for one in found] == ["no1/c301", "no2/up"]
    assert records.changes_between(T0 + 3, T0 + 9) == []
    assert set(records.changes_at(T0 + 1)) == {"no1/c301"}
    assert records.links_since() == {"no1/c301": T0, "no2/up": T0}
