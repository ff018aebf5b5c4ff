import pytest

from controller.api.metrics_ledger import ledger_families
from controller.trust.figures import AuditFigures

CALM = AuditFigures(writable=True, entries=12, refused=0, held=0, lost=0)
TROUBLED = AuditFigures(
    writable=False,
    entries=12,
    refused=3,
    held=2,
    lost=1,
    anchors=(("file a", 42.0, False), ("https b", None, True)),
    witnesses=5,
    summed=7,
    contradicting=2,
    exported=9,
)


@pytest.mark.parametrize(
    ("figures", "wanted"),
    [
        (None, {}),
        (
            CALM,
            {
                "tenone_ledger_writable": 1,
                "tenone_ledger_entries_total": 12,
                "tenone_ledger_refused_total": 0,
                "tenone_ledger_notes_lost_total": 0,
                "tenone_ledger_notes_held": 0,
                "tenone_ledger_refusals_summed_total": 0,
                "tenone_ledger_witnesses": 0,
                "tenone_ledger_witnesses_contradicting": 0,
            },
        ),
        (
            TROUBLED,
            {
                "tenone_ledger_writable": 0,
                "tenone_ledger_entries_total": 12,
                "tenone_ledger_refused_total": 3,
                "tenone_ledger_notes_lost_total": 1,
                "tenone_ledger_notes_held": 2,
                "tenone_ledger_refusals_summed_total": 7,
                "tenone_ledger_witnesses": 5,
                "tenone_ledger_witnesses_contradicting": 2,
                "tenone_ledger_exported_total": 9,
                "tenone_ledger_anchor_age_seconds file a": 42,
                "tenone_ledger_anchor_conflict file a": 0,
                "tenone_ledger_anchor_conflict https b": 1,
            },
        ),
    ],
)
def test_families(figures: AuditFigures | None, wanted: dict[str, float]) -> None:
    found = {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in ledger_families(figures)
        for sample in family.samples
    }
    assert found == wanted
