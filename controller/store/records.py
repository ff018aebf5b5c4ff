"""The records: inventory, bindings and state changes in SQLite or PostgreSQL, dated."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.orm import Session

from controller.encode import Json, link_json
from controller.plan import CityPlan
from controller.sla.verdict import causes_of
from controller.store import tables as t
from controller.store.protocols import NS, LinkChange, StoreError
from controller.views import Binding, LinkView
from tenone.vocabulary.scope import ScopePath, Slug
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus, Severity, Tier, Verdict

log = logging.getLogger(__name__)

KEEP_CHANGES_NS = 3 * 366 * 86_400 * NS
"""State changes are kept three years, enough to prove a past report (BLOCKS.md)."""
BATCH = 5000


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What loading a configuration did to one table."""

    table: str
    opened: int
    closed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PortFacts:
    """One port of an inventory block; None is unknown."""

    port: str
    if_index: int | None
    if_name: str | None
    if_descr: str | None
    if_alias: str | None
    if_type: int | None
    mtu: int | None
    mac: str | None


class SqlRecords:
    """See the module; a :class:`controller.store.protocols.Records`. Methods block."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._engine = sa.create_engine(self._url, hide_parameters=True)  # values are people's, too
        self._city = ""
        if self._url.get_backend_name() == "sqlite":
            sa.event.listen(self._engine, "connect", _prepare_sqlite)

    @property
    def engine(self) -> Engine:
        """For what shares the database, such as sessions."""
        return self._engine

    def start(self) -> None:
        """Make or upgrade the tables; raises :class:`StoreError`."""
        try:
            if self._url.get_backend_name() == "sqlite" and self._url.database:
                _make_private(Path(self._url.database))
            with self._engine.begin() as connection:
                upgrade(connection)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            where = self._url.render_as_string(hide_password=True)
            raise StoreError(f"the records at {where} cannot be opened: {error}") from error

    def close(self) -> None:
        """See the protocol."""
        self._engine.dispose()

    # -- what is configured

    def load(self, plan: CityPlan, now_ns: int) -> list[Reconciled]:
        """Make the open rows those of ``plan`` from ``now_ns`` on; raises :class:`StoreError`.

        A row whose values changed is closed and opened anew; what the plan no longer names is
        closed. Nothing is deleted.
        """
        self._city = plan.id
        wanted: dict[type[t.Dated], Iterable[dict[str, Any]]] = {
            t.District: (_row(one, t.District) for one in plan.districts),
            t.School: (_row(one, t.School) for one in plan.schools),
            t.Switch: (_row(one, t.Switch) for one in plan.switches),
            t.Link: (_row(one, t.Link) for one in plan.links),
            t.Binding: (_row(one, t.Binding) for one in plan.links if one.switch and one.port),
            t.Device: (_row(one, t.Device) for one in plan.devices),
        }
        with self.unit() as unit:
            return [_reconcile(unit, table, rows, now_ns) for table, rows in wanted.items()]

    def learn_ports(
        self, school: str, switch: str, ports: Sequence[PortFacts], now_ns: int
    ) -> Reconciled:
        """Take in a switch's inventory, dated; raises :class:`StoreError`."""
        rows = ({"school": school, "switch": switch, **_facts(port)} for port in ports)
        with self.unit() as unit:
            return _reconcile(
                unit, t.PortInventory, rows, now_ns, {"school": school, "switch": switch}
            )

    def ports_of(self, at_ns: int) -> dict[tuple[str, str], list[PortFacts]]:
        """The inventory that is in force at a moment, by (school, switch)."""
        found: dict[tuple[str, str], list[PortFacts]] = {}
        with self.unit() as unit:
            for row in unit.scalars(_at(t.PortInventory, at_ns)):
                facts = PortFacts(
                    port=row.port,
                    if_index=row.if_index,
                    if_name=row.if_name,
                    if_descr=row.if_descr,
                    if_alias=row.if_alias,
                    if_type=row.if_type,
                    mtu=row.mtu,
                    mac=row.mac,
                )
                found.setdefault((row.school, row.switch), []).append(facts)
        return found

    def bindings(self, at_ns: int) -> dict[str, Binding]:
        """The bindings in force at a moment, by link id."""
        with self.unit() as unit:
            return {
                f"{row.school}/{row.link}": Binding(
                    switch=row.switch, port=row.port, valid_from=row.valid_from_ns / NS
                )
                for row in unit.scalars(_at(t.Binding, at_ns))
            }

    # -- what was judged

    def append_changes(self, changes: Sequence[LinkChange]) -> None:
        """See the protocol."""
        rows = []
        for change in changes:
            school, _, link = change.link.partition("/")
            rows.append(
                {
                    "school": school,
                    "link": link,
                    "at_ns": change.at_ns,
                    "since_ns": change.since_ns,
                    "verdict": int(change.verdict),
                    "severity": int(change.severity),
                    "causes": change.causes,
                    "oper": change.oper,
                    "admin": change.admin,
                    "speed_mbps": change.speed_mbps,
                    "duplex": change.duplex,
                    "block_hash": change.block_hash,
                }
            )
        if rows:
            with self.unit() as unit:
                # By the connection: the session's own way takes twice as long for the same rows.
                unit.connection().execute(sa.insert(t.LinkChangeRow), rows)

    def last_changes(self) -> Mapping[str, LinkChange]:
        """See the protocol."""
        return self._changes_at(None)

    def changes_at(self, at_ns: int) -> Mapping[str, LinkChange]:
        """What every link was at a moment, by link id."""
        return self._changes_at(at_ns)

    def changes_between(self, start_ns: int, end_ns: int) -> list[LinkChange]:
        """The changes of all links in ``[start, end)``, by time."""
        row = t.LinkChangeRow
        found = sa.select(row).where(row.at_ns >= start_ns, row.at_ns < end_ns)
        with self.unit() as unit:
            rows = unit.scalars(found.order_by(row.at_ns, row.row))
            return [_change(one) for one in rows]

    def links_since(self) -> dict[str, int]:
        """Since when (ns UTC) each link that is in force has been promised, by link id."""
        since = sa.select(t.Link.school, t.Link.link, sa.func.min(t.Link.valid_from_ns))
        with self.unit() as unit:
            rows = unit.execute(since.group_by(t.Link.school, t.Link.link))
            return {f"{school}/{link}": int(from_ns) for school, link, from_ns in rows}

    def prune(self, now_ns: int) -> int:
        """Forget changes past their years, but never a link's newest; return how many."""
        newest = sa.select(sa.func.max(t.LinkChangeRow.row)).group_by(
            t.LinkChangeRow.school, t.LinkChangeRow.link
        )
        old = sa.delete(t.LinkChangeRow).where(
            t.LinkChangeRow.at_ns < now_ns - KEEP_CHANGES_NS,
            t.LinkChangeRow.row.not_in(newest),
        )
        with self.unit() as unit:
            return int(unit.execute(old).rowcount)  # type: ignore[attr-defined]  # a DELETE's result has it

    def _changes_at(self, at_ns: int | None) -> dict[str, LinkChange]:
        newest = sa.select(sa.func.max(t.LinkChangeRow.row)).group_by(
            t.LinkChangeRow.school, t.LinkChangeRow.link
        )
        if at_ns is not None:
            newest = newest.where(t.LinkChangeRow.at_ns <= at_ns)
        with self.unit() as unit:
            rows = unit.scalars(sa.select(t.LinkChangeRow).where(t.LinkChangeRow.row.in_(newest)))
            return {f"{row.school}/{row.link}": _change(row) for row in rows}

    # -- as of

    def resources(self) -> frozenset[str]:
        """What can be asked of a past moment."""
        return frozenset({"bindings", "links"})

    def as_of(
        self, resource: str, scope: ScopePath, moment: float
    ) -> Sequence[Mapping[str, object]]:
        """The resource inside ``scope`` as it stood at ``moment`` (epoch seconds)."""
        at_ns = round(moment * NS)
        schools = self._schools_in(scope, at_ns)
        if resource == "bindings":
            return [
                {
                    "id": link,
                    "school": link.partition("/")[0],
                    "switch": bound.switch,
                    "port": bound.port,
                    "valid_from": bound.valid_from,
                }
                for link, bound in self.bindings(at_ns).items()
                if link.partition("/")[0] in schools
            ]
        return self._links_at(at_ns, schools)

    def _schools_in(self, scope: ScopePath, at_ns: int) -> set[str]:
        """Schools that lay inside ``scope`` then; a school may have changed its district."""
        with self.unit() as unit:
            rows = unit.scalars(_at(t.School, at_ns)).all()
        return {
            row.id
            for row in rows
            if scope.covers(ScopePath((Slug(self._city), Slug(row.district), Slug(row.id))))
        }

    def _links_at(self, at_ns: int, schools: set[str]) -> list[Json]:
        bindings = self.bindings(at_ns)
        changes = self._changes_at(at_ns)
        with self.unit() as unit:
            links = unit.scalars(_at(t.Link, at_ns)).all()
        return [
            link_json(_past_view(link, changes.get(name), bindings.get(name)))
            for link in links
            if link.school in schools
            for name in [f"{link.school}/{link.link}"]
        ]

    def unit(self) -> "Unit":
        """A transaction for the tables of another room; use it in the records' thread."""
        return Unit(self._engine)


class Unit:
    """A session that commits at its end and says what went wrong as :class:`StoreError`."""

    def __init__(self, engine: Engine) -> None:
        self._session = Session(engine, expire_on_commit=False)

    def __enter__(self) -> Session:
        self._session.begin()
        return self._session

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                self._session.commit()
        except sa.exc.SQLAlchemyError as failed:
            raise StoreError(f"the records could not be written: {failed}") from failed
        finally:
            self._session.close()
        if isinstance(error, sa.exc.SQLAlchemyError):
            raise StoreError(f"the records could not be read or written: {error}") from error


def upgrade(connection: sa.Connection) -> None:
    """Bring the tables to this version's; the migrations lie beside this module."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _make_private(path: Path) -> None:
    """Make the file its owner's alone, as SQLite's files beside it will be.

    It holds hashes of passwords and of tokens. One that is there keeps the mode it was given.
    """
    if str(path) == ":memory:" or path.name.startswith("file:"):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """FULL as in the block store: an approval or a verdict that is kept survives a power cut."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _columns(table: type[t.Dated]) -> list[str]:
    own = {"row", "valid_from_ns", "valid_to_ns"}
    return [column.name for column in table.__table__.columns if column.name not in own]


def _row(value: object, table: type[t.Dated]) -> dict[str, Any]:
    return {name: getattr(value, name) for name in _columns(table)}


def _facts(port: PortFacts) -> dict[str, Any]:
    names = ("port", "if_index", "if_name", "if_descr", "if_alias", "if_type", "mtu", "mac")
    return {name: getattr(port, name) for name in names}


def _at(table: type[Any], at_ns: int) -> Any:
    return sa.select(table).where(
        table.valid_from_ns <= at_ns,
        sa.or_(table.valid_to_ns.is_(None), table.valid_to_ns > at_ns),
    )


def _reconcile(
    unit: Session,
    table: type[t.Dated],
    wanted: Iterable[dict[str, Any]],
    now_ns: int,
    within: Mapping[str, str] | None = None,
) -> Reconciled:
    names = _columns(table)
    query = sa.select(table).where(table.valid_to_ns.is_(None)).filter_by(**(within or {}))
    standing = {row.key: row for row in unit.scalars(query)}
    fresh: list[dict[str, Any]] = []
    ended: list[int] = []
    for values in wanted:
        row = standing.pop(tuple(values[name] for name in table.KEY), None)
        if row is not None and all(getattr(row, name) == values[name] for name in names):
            continue
        if row is not None:
            ended.append(row.row)
        fresh.append({**values, "valid_from_ns": now_ns, "valid_to_ns": None})
    ended += [row.row for row in standing.values()]
    for start in range(0, len(ended), BATCH):
        some = table.row.in_(ended[start : start + BATCH])
        unit.execute(sa.update(table).where(some).values(valid_to_ns=now_ns))
    if fresh:
        unit.execute(sa.insert(table), fresh)
    return Reconciled(table.__tablename__, len(fresh), len(ended))


def _change(row: t.LinkChangeRow) -> LinkChange:
    return LinkChange(
        link=f"{row.school}/{row.link}",
        at_ns=row.at_ns,
        since_ns=row.since_ns,
        verdict=Verdict(row.verdict),
        severity=Severity(row.severity),
        causes=row.causes,
        oper=row.oper,
        admin=row.admin,
        speed_mbps=row.speed_mbps,
        duplex=row.duplex,
        block_hash=row.block_hash,
    )


def _past_view(link: t.Link, change: LinkChange | None, bound: Binding | None) -> LinkView:
    # Many switches go on telling the nominal speed of a port that has no link.
    away = change is not None and change.oper not in {OperStatus.UP, 0}
    linked = None if away else change
    return LinkView(
        id=f"{link.school}/{link.link}",
        school=Slug(link.school),
        name=link.name,
        tier=Tier(link.tier),
        room=link.room,
        contract_mbps=link.contract_mbps,
        negotiated_mbps=None if linked is None else linked.speed_mbps or None,
        duplex=None if linked is None else label(Duplex, linked.duplex),
        oper=None if change is None else label(OperStatus, change.oper),
        admin=None if change is None else label(AdminStatus, change.admin),
        verdict=Verdict.UNKNOWN if change is None else change.verdict,
        severity=Severity.NONE if change is None else change.severity,
        causes=() if change is None else causes_of(change.causes),
        since=None if change is None else change.since_ns / NS,
        coverage=None,
        evidence=(),
        binding=bound,
        stale=False,
        verified=False,
    )


def label(kind: type[AdminStatus] | type[OperStatus] | type[Duplex], code: int) -> str | None:
    """The API's name of a MIB code; None for 0 and for codes the MIB does not know."""
    try:
        return kind(code).label
    except ValueError:
        return None
