"""Figures of many links at once, straight from the columns, for /metrics."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from controller.arrays import F64, Flags
from controller.state.columns import NEVER
from controller.state.live import LiveState
from controller.state.numbering import Numbering
from controller.store.protocols import NS
from controller.views import LinkFigures, LinkLabel
from tenone.vocabulary.states import OperStatus, Verdict

_RATIOS = (
    *("utilisation_in_ratio", "utilisation_out_ratio"),
    *("error_ratio", "discard_ratio", "loss_ratio"),
)
_MILLI = 1e-3


def link_figures(
    live: LiveState, labels: Sequence[LinkLabel], links: range, now_ns: int, *, good: bool
) -> LinkFigures:
    """Of the links with these numbers; ``labels`` of all there are.

    ``now_ns``: monotonic. ``good`` False: only of links that are not good.
    """
    columns, measures = live.links, live.measures
    verdict = columns.verdict[links.start : links.stop]
    wanted = np.arange(len(verdict)) if good else np.flatnonzero(verdict != Verdict.GOOD)
    at = wanted + links.start
    # As LiveCity says it of one link: without a link, the speed a port tells is its nominal one.
    linked = np.isin(columns.oper[at], (OperStatus.UP, 0)) & (columns.speed_mbps[at] > 0)
    moments = np.maximum(columns.evidence_ns[at], measures.decided_ns[at])
    return LinkFigures(
        labels=[labels[number] for number in at.tolist()],
        columns={
            "verdict": verdict[wanted].astype(np.float64),
            "contract_mbps": columns.contract_mbps[at].astype(np.float64),
            "negotiated_mbps": _where(linked, columns.speed_mbps[at]),
            "evidence_age_seconds": _where(moments != NEVER, np.maximum(now_ns - moments, 0) / NS),
            "rtt_seconds": measures.rtt_ms[at] * _MILLI,
            "jitter_seconds": measures.ipdv_p95_ms[at] * _MILLI,
            **{name: getattr(measures, name)[at].astype(np.float64) for name in _RATIOS},
        },
    )


def labels_of(numbering: Numbering) -> list[LinkLabel]:
    """Of every link, by number."""
    schools = numbering.link_school.tolist()
    return [
        (numbering.scopes[school].parts[1], link.school, link.id, link.tier.value)
        for link, school in zip(numbering.links, schools, strict=True)
    ]


def _where(known: Flags, values: npt.NDArray[Any]) -> F64:
    return np.where(known, values.astype(np.float64), np.nan)
