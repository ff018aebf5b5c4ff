"""What a fault script may do to a cable and to what hangs on it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from firmware_sims import control
from firmware_sims.switch.cable import PAIRS, PairFault, PairState, Result
from firmware_sims.switch.settings import PortSettings
from tenone.vocabulary.states import Duplex

T = TypeVar("T")

if TYPE_CHECKING:
    from firmware_sims.switch.wiring import Wired

KEYS = (
    "pairs",
    "metres",
    "partner_speeds",
    "partner_negotiates",
    "partner_duplex",
    "draws",
    "hung",
    "stuck",
)
CONFIGURES = ("speed_mbps", "duplex", "vlan", "shutdown", "poe", "trust_dscp")
_LONGEST_METRES = 500
_MOST_VLAN = 4094
_SPEEDS = frozenset({10, 100, 1_000, 10_000})
_DUPLEX = {"full": Duplex.FULL, "half": Duplex.HALF}


def changed(wired: "Wired", changes: Mapping[str, object]) -> Result | None:
    """Change ``wired``: all or, with ValueError and one sentence, nothing.

    ``pairs``: ``{"C": {"state": "open", "metres": 12}}``, a pair with null is whole again;
    ``metres``; ``partner_speeds``: list of Mb/s; ``partner_negotiates``; ``partner_duplex``;
    ``draws``: fed by the port; ``hung``: until its power is cycled, so it is fed
    by the port unless ``draws`` says otherwise; ``stuck``:
    ``{"speed_mbps": 100, "duplex": "full"}``, what this one negotiation comes to, returned.
    """
    control.refuse_others(changes, *KEYS)
    cable, partner = wired.cable, wired.cable.partner
    if "pairs" in changes:
        cable = replace(cable, faults=_faults(dict(cable.faults), changes["pairs"]))
    if "metres" in changes:
        cable = replace(cable, metres=_metres(changes["metres"]))
    if "partner_speeds" in changes:
        partner = replace(partner, speeds=_speeds(changes["partner_speeds"]))
    if "partner_negotiates" in changes:
        flag = control.flag(changes["partner_negotiates"], "partner_negotiates")
        partner = replace(partner, negotiates=flag)
    if "partner_duplex" in changes:
        partner = replace(partner, duplex=_duplex(changes["partner_duplex"], "partner_duplex"))
    if not partner.negotiates and len(partner.speeds) != 1:
        raise control.CommandError(
            "a partner that does not negotiate has one speed: set partner_speeds too"
        )
    hung = _flag(changes, "hung", default=wired.hung)
    draws = _flag(changes, "draws", default=wired.draws or hung)
    stuck = _stuck(changes["stuck"]) if changes.get("stuck") is not None else None
    wired.cable = replace(cable, partner=partner)
    wired.draws, wired.hung = draws, hung
    return stuck


def configured(
    settings: PortSettings, changes: Mapping[str, object], *, makes_own: bool
) -> PortSettings:
    """``settings`` as somebody left them; ``makes_own``: negotiation is a word of its own (VRP).

    ``speed_mbps`` (null: negotiated), ``duplex`` (full, half), ``vlan``, ``shutdown``, ``poe``,
    ``trust_dscp``. A speed without a duplex is forced with full duplex.
    """
    control.refuse_others(changes, *CONFIGURES)
    found: dict[str, object] = {
        key: control.flag(changes[key], key)
        for key in ("shutdown", "poe", "trust_dscp")
        if key in changes
    }
    if "vlan" in changes:
        found["vlan"] = int(control.number(changes["vlan"], "vlan", 1, _MOST_VLAN))
    if "speed_mbps" in changes or "duplex" in changes:
        speed = changes.get("speed_mbps", settings.speed_mbps)
        if speed is None and changes.get("duplex") is None:
            found |= {"auto": None, "speed_mbps": None, "duplex": None}
        elif isinstance(speed, int) and speed in _SPEEDS:
            duplex = _duplex(changes.get("duplex", "full"), "duplex")
            auto = False if makes_own else None
            found |= {"auto": auto, "speed_mbps": speed, "duplex": duplex}
        else:
            raise control.CommandError(f"speed_mbps {speed!r} must be 10, 100, 1000 or 10000")
    return replace(settings, **found)  # type: ignore[arg-type] # keys are fields of PortSettings


def _flag(changes: Mapping[str, object], key: str, *, default: bool) -> bool:
    return control.flag(changes[key], key) if key in changes else default


def _faults(kept: dict[str, PairFault], value: object) -> tuple[tuple[str, PairFault], ...]:
    for pair, fault in control.mapping(value, "pairs").items():
        if pair not in PAIRS or len(pair) != 1:
            raise control.CommandError(f"no pair is called {pair!r}: use A, B, C or D")
        if fault is None:
            kept.pop(pair, None)
            continue
        given = control.mapping(fault, pair)
        control.refuse_others(given, "state", "metres")
        kept[pair] = PairFault(
            _choice(given.get("state"), f"{pair}.state", {s.value: s for s in PairState}),
            _metres(given.get("metres", 0)),
        )
    return tuple(sorted((p, f) for p, f in kept.items() if f.state is not PairState.OK))


def _metres(value: object) -> int:
    return int(control.number(value, "metres", 0, _LONGEST_METRES))


def _speeds(value: object) -> frozenset[int]:
    if not isinstance(value, list) or not value or not set(value) <= _SPEEDS:
        raise control.CommandError(
            f"partner_speeds {value!r} must be a list of 10, 100, 1000 and 10000"
        )
    return frozenset(value)


def _duplex(value: object, key: str) -> Duplex:
    return _choice(value, key, _DUPLEX)


def _choice(value: object, key: str, choices: Mapping[str, T]) -> T:
    if not isinstance(value, str) or value not in choices:
        raise control.CommandError(f"{key} {value!r} must be one of {', '.join(choices)}")
    return choices[value]


def _stuck(value: object) -> Result:
    given = control.mapping(value, "stuck")
    control.refuse_others(given, "speed_mbps", "duplex")
    speed = given.get("speed_mbps")
    if speed not in _SPEEDS or not isinstance(speed, int):
        raise control.CommandError(f"stuck.speed_mbps {speed!r} must be 10, 100, 1000 or 10000")
    return Result(speed, _duplex(given.get("duplex", "full"), "stuck.duplex"))
