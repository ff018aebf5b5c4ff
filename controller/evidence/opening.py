"""Opens a desk over the files of a controller, which may be running or not."""

from pathlib import Path

from controller.evidence.aged import Archive
from controller.evidence.desk import Desk, ReportError
from controller.evidence.judged_by import FILE as WORKS_FILE
from controller.evidence.judged_by import JudgedBy
from controller.evidence.promises import Works, no_works, read_schools
from controller.evidence.repairs import Repairs, no_repairs
from controller.evidence.room import FOLDER
from controller.plan import CityPlan
from controller.state.resolve import bindings_of
from controller.store.blocks import SqliteBlockStore
from controller.store.records import SqlRecords
from controller.store.rollups import Rollups
from controller.store.seals import Seals


def open_desk(
    folder: Path,
    plan: CityPlan,
    records: SqlRecords,
    now_ns: int,
    *,
    works: Works = no_works,
    repairs: Repairs = no_repairs,
) -> Desk:
    """``folder``: ``store.path``. Raises :class:`StoreError` and :class:`ReportError`.

    ``works``: maintenance as the records have it, for days that were judged before what they were
    judged by was kept.
    """
    kept = folder / FOLDER
    if not kept.is_dir():
        raise ReportError(
            f"there is no evidence in {kept}: is store.path of the city.yaml right, and has its "
            "controller run since it was updated?"
        )
    blocks = SqliteBlockStore(folder / "blocks")
    rollups = Rollups(kept / "rollups")
    ports = records.ports_of(now_ns)
    judged_by = JudgedBy(kept / WORKS_FILE)
    return Desk(
        city=plan.id,
        schools=read_schools(records.engine, plan),
        rollups=rollups,
        seals=Seals(kept / "seals"),
        archive=Archive(kept / "stubs", rollups),
        blocks=blocks,
        names={key: bindings_of(facts) for key, facts in ports.items()},
        works=judged_by.of if judged_by.open() else works,
        repairs=repairs,
        oldest_day=blocks.usage().oldest_day,
    )
