"""Views as JSON: field names as they are, enumerations as their labels (CONTRACT "HTTP").

Used by the API and by whoever fills :attr:`controller.views.Change.body`, so a list, a
live patch and a page can never name the same thing differently.
"""

from collections.abc import Sequence

from controller.views import (
    AgentView,
    Binding,
    BoardView,
    Evidence,
    LinkView,
    MeasuredView,
    Overview,
    SchoolView,
    SwitchView,
    Tally,
)

Json = dict[str, object]
"""A JSON object."""


def evidence_json(view: Evidence) -> Json:
    """``{"method", "age_seconds"}``."""
    return {"method": view.method.value, "age_seconds": _seconds(view.age_seconds)}


def binding_json(view: Binding) -> Json:
    """``{"switch", "port", "valid_from"}``; ``valid_from`` in epoch seconds."""
    return {"switch": view.switch, "port": view.port, "valid_from": view.valid_from}


def board_json(view: BoardView) -> Json:
    """A class board; what is unknown is null."""
    return {
        "id": view.id,
        "name": view.name,
        "room": view.room,
        "online": view.online,
        "screen_on": view.screen_on,
        "app": view.app,
        "firmware": view.firmware,
        "cpu_ratio": view.cpu_ratio,
        "temperature_celsius": view.temperature_celsius,
        "rssi_dbm": view.rssi_dbm,
        "since": view.since,
        "age_seconds": _seconds(view.age_seconds),
        "stale": view.stale,
    }


def link_json(view: LinkView) -> Json:
    """A link as CONTRACT writes it, and what the screens need besides."""
    return {
        "id": view.id,
        "school": view.school,
        "name": view.name,
        "tier": view.tier.value,
        "room": view.room,
        "contract_mbps": view.contract_mbps,
        "negotiated_mbps": view.negotiated_mbps,
        "duplex": view.duplex,
        "oper": view.oper,
        "admin": view.admin,
        "verdict": view.verdict.label,
        "severity": view.severity.label,
        "causes": [cause.label for cause in view.causes],
        "since": view.since,
        "coverage": view.coverage,
        "evidence": [evidence_json(item) for item in view.evidence],
        "binding": None if view.binding is None else binding_json(view.binding),
        "stale": view.stale,
        "verified": view.verified,
        "boards": [board_json(board) for board in view.boards],
        "measured": measured_json(view.measured),
    }


def measured_json(view: MeasuredView) -> Json:
    """What is measured of a link; what is unknown is null."""
    return {
        "utilisation_in_ratio": _ratio(view.utilisation_in_ratio),
        "utilisation_out_ratio": _ratio(view.utilisation_out_ratio),
        "utilisation_ratio": _ratio(view.utilisation_ratio),
        "interval_seconds": _seconds(view.interval_seconds),
        "utilisation_p95_ratio": _ratio(view.utilisation_p95_ratio),
        "error_ratio": _ratio(view.error_ratio),
        "discard_ratio": _ratio(view.discard_ratio),
        "error_window_seconds": _seconds(view.error_window_seconds),
        "counters_age_seconds": _seconds(view.counters_age_seconds),
        "loss_ratio": _ratio(view.loss_ratio),
        "loss_packets": view.loss_packets,
        "loss_verdict": view.loss_verdict.label,
        "rtt_seconds": _short(view.rtt_seconds),
        "jitter_seconds": _short(view.jitter_seconds),
        "probes_age_seconds": _seconds(view.probes_age_seconds),
        "dns_answers": view.dns_answers,
        "dns_age_seconds": _seconds(view.dns_age_seconds),
        "flaps": view.flaps,
    }


def tally_json(view: Tally) -> Json:
    """Counts of one tier; ``total`` is good + bad + unknown."""
    return {
        "tier": view.tier.value,
        "good": view.good,
        "bad": view.bad,
        "unknown": view.unknown,
        "unverified": view.unverified,
        "total": view.total,
    }


def switch_json(view: SwitchView) -> Json:
    """A switch as its agent sees it."""
    return {
        "id": view.id,
        "name": view.name,
        "reachable": view.reachable,
        "poll_error": view.poll_error,
        "descr": view.descr,
        "uptime_seconds": _seconds(view.uptime_seconds),
        "age_seconds": _seconds(view.age_seconds),
    }


def agent_json(view: AgentView) -> Json:
    """A school's gateway."""
    return {
        "school": view.school,
        "online": view.online,
        "version": view.version,
        "last_report_age_seconds": _seconds(view.last_report_age_seconds),
        "outbox_bytes": view.outbox_bytes,
        "outbox_blocks": view.outbox_blocks,
        "quarantined_total": view.quarantined_total,
    }


def school_json(view: SchoolView) -> Json:
    """A school in a list."""
    return {
        "id": view.id,
        "name": view.name,
        "name_zh": view.name_zh,
        "district": view.district,
        "scope": str(view.scope),
        "verdict": view.verdict.label,
        "severity": view.severity.label,
        "tallies": tallies_json(view.tallies),
        "worst": None if view.worst is None else link_json(view.worst),
        "agent": agent_json(view.agent),
        "boards_online": view.boards_online,
        "boards_total": view.boards_total,
        "since": view.since,
    }


def overview_json(view: Overview) -> Json:
    """City or district totals."""
    return {
        "scope": str(view.scope),
        "name": view.name,
        "name_zh": view.name_zh,
        "schools_total": view.schools_total,
        "schools_reporting": view.schools_reporting,
        "schools_good": view.schools_good,
        "schools_unverified": view.schools_unverified,
        "schools_bad": view.schools_bad,
        "schools_unknown": view.schools_unknown,
        "tallies": tallies_json(view.tallies),
        "boards_online": view.boards_online,
        "boards_total": view.boards_total,
        "data_age_seconds": _seconds(view.data_age_seconds),
        "made_at": view.made_at,
    }


def tallies_json(views: Sequence[Tally]) -> list[Json]:
    """Tallies in the order given."""
    return [tally_json(tally) for tally in views]


def _seconds(value: float | None) -> float | None:
    """Ages to the millisecond: finer figures are noise that costs bytes."""
    return None if value is None else round(value, 3)


def _ratio(value: float | None) -> float | None:
    """Shares to a millionth: one broken frame in a million still shows."""
    return None if value is None else round(value, 6)


def _short(value: float | None) -> float | None:
    """Delays to the microsecond."""
    return None if value is None else round(value, 6)
