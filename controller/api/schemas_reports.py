"""The shape of reports in the OpenAPI document."""

from typing import Any

from pydantic import BaseModel


class SlaReportOut(BaseModel):
    """See docs/evidence.md; every ratio has its coverage beside it.

    ``about.class_minutes_clauses``: by which clauses class-minutes are judged here. The running
    count of ``/api/v1/class-minutes`` is judged by all clauses and is another figure.
    """

    format: int
    kind: str
    about: dict[str, Any]
    inputs_sha256: str
    until_ns: int
    days: list[str]
    groups: list[dict[str, Any]]
    links_total: int
    links_listed: int
    links: list[dict[str, Any]]
    outages: list[dict[str, Any]]
    made: dict[str, Any]
    checkpoints: list[dict[str, Any]]
    repairs: dict[str, Any]


class InspectionOut(BaseModel):
    """One sheet."""

    kind: str
    size: str
    about: dict[str, Any]
    days: list[str]
    until_ns: int
    inputs_sha256: str
    items: list[dict[str, Any]]
    repairs: dict[str, Any]
    made: dict[str, Any]


class QualityOut(BaseModel):
    """One school's data."""

    id: str
    district: str
    completeness_ratio: float | None
    links: int
    links_silent: list[str]
    samples: int
    blocks: int
    late_ratio: float | None
    lateness_worst_seconds: float | None
    clock_skew_mean_seconds: float | None
    clock_skew_worst_seconds: float | None
    duplicates: int


class QualityPage(BaseModel):
    """Schools, the worst first."""

    items: list[QualityOut]
    total: int
    next_cursor: str | None


class ShareOut(BaseModel):
    """A share of what is known."""

    total: int
    known: int
    attained: int
    attained_ratio: float | None
    coverage_ratio: float | None


class IndicatorOut(BaseModel):
    """One scope and day."""

    id: str
    scope: str
    day: str
    schools_10g: ShareOut
    classes_1g: ShareOut


class IndicatorPage(BaseModel):
    """By day and scope."""

    items: list[IndicatorOut]
    total: int
    next_cursor: str | None
