"""From what is known of a bad link to what would help: an intent, or what people have to carry.

Pure. One fault gets one means. Software repairs what software can set: a port that is shut, a speed
or a duplex that negotiation would settle, a device that takes its power from the switch and
hangs. What was tried and taken back is not tried again; then the cable is measured, and the
sentence says which part to carry where.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from controller.enforcement.sentences import (
    CABLE_STATES,
    NO_ROOM,
    Text,
    say,
    speed_words,
)
from controller.foreign import read_foreign
from tenone.vocabulary.body import PoeStatus
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import AdminStatus, Cause, OperStatus

POWERED = frozenset({PoeStatus.DELIVERING, PoeStatus.FAULT, PoeStatus.OTHER_FAULT})
"""What a port says of power where a powered device hangs on it, or did."""
SETTLED_BY_NEGOTIATION = {Cause.SPEED, Cause.DUPLEX}


@dataclass(frozen=True, slots=True)
class CableFault:
    """The first broken pair of a cable test."""

    pair: str
    state: str
    """A key of :data:`controller.enforcement.sentences.CABLE_STATES`."""
    metres: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What was tried on this fault already, and ended."""

    intents: frozenset[Intent] = frozenset()
    meanwhile: frozenset[Intent] = frozenset()
    """What was tried while the link has been bad, whatever the fault was called then."""
    stuck: bool = False
    """One of them ended neither as before nor as wanted."""
    cable: str = ""
    """The newest cable test, JSON; empty: none."""

    @property
    def repaired(self) -> bool:
        """Something that repairs was tried."""
        return bool(self.intents - {Intent.CABLE_DIAGNOSIS})

    def was(self, intent: Intent | None) -> bool:
        """Whether this has been tried on this fault; to measure once more repairs nothing twice."""
        return self.repaired or (intent is not Intent.CABLE_DIAGNOSIS and intent in self.meanwhile)


NOTHING_TRIED = Tried()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """What is known of one bad link. None is unknown."""

    name: str
    room: str | None
    switch: str
    port: str
    contract_mbps: int
    causes: Sequence[Cause]
    """By priority."""
    admin: AdminStatus | None = None
    oper: OperStatus | None = None
    speed_mbps: int | None = None
    fibre: bool = False
    """An optical module sits in the port."""
    negotiates: bool | None = None
    """Whether the switch is known to let the port negotiate."""
    poe: PoeStatus | None = None
    board_online: bool | None = None
    shadow: str | None = None
    """What other trouble it lies behind, in words."""
    meant: str | None = None
    """Why the port may be shut on purpose; None: nothing says so."""
    tried: Tried = field(default=NOTHING_TRIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What would help."""

    intent: Intent | None
    sentence: Mapping[str, str]
    only_propose: bool = False
    """Never asked for by the controller: perhaps it is meant so."""
    shadowed: bool = False
    """Other trouble explains it: nothing is to be done here."""
    otherwise: "Finding | None" = None
    """What to do instead where the port turns out to be set so already."""
    without: "Finding | None" = None
    """What to do instead where the switch has no means for it; None: people are told why."""


def diagnose(facts: LinkFacts) -> Finding:
    """The means for the gravest cause; never more than one."""
    if facts.shadow is not None:
        return _say(facts, Text.SHADOWED, shadowed=True, why=facts.shadow)
    if facts.tried.stuck:
        return _say(facts, Text.PERSON)
    if facts.tried.repaired:
        return _after_repair(facts)
    cause = next(iter(facts.causes), None)
    means = _MEANS.get(cause) if cause is not None else None
    finding = _beside(facts, cause) if means is None else means(facts)
    return _after_repair(facts) if facts.tried.was(finding.intent) else finding


def instead(
    finding: Finding, facts: LinkFacts, set_so: Collection[Intent], hindered: Mapping[Intent, str]
) -> Finding:
    """What is left of it once the switch has been asked.

    ``set_so``: what it says is set so already. ``hindered``: what cannot be done at this port, and
    the school's sentence why. A port that is *not* set as a repair would set it, but cannot be
    set so, is never told as one that is.
    """
    while finding.intent is not None:
        if finding.intent in hindered:
            why = hindered[finding.intent]
            finding = finding.without or _say(facts, Text.HINDERED, why=why)
        elif finding.intent in set_so and finding.otherwise is not None:
            finding = finding.otherwise
            finding = _after_repair(facts) if facts.tried.was(finding.intent) else finding
        else:
            break
    return finding


def _power(facts: LinkFacts) -> Finding:
    return _say(facts, Text.SHADOWED, shadowed=True, why="power")


def _uplink(facts: LinkFacts) -> Finding:
    return _say(facts, Text.SHADOWED, shadowed=True, why="its uplink")


def _shut(facts: LinkFacts) -> Finding:
    if facts.meant is None:
        return _say(facts, Text.SHUT, Intent.ENABLE_PORT)
    return _say(facts, Text.SHUT_MEANT, Intent.ENABLE_PORT, only_propose=True, why=facts.meant)


def _dark(facts: LinkFacts) -> Finding:
    if facts.poe in POWERED:
        return _say(facts, Text.SILENT_POWERED, Intent.CYCLE_POE)
    return _say(facts, Text.DARK_FIBRE if facts.fibre else Text.DARK)


def _slow(facts: LinkFacts) -> Finding:
    if facts.fibre:
        return _say(facts, Text.SLOW_FIBRE)
    bounce = _say(facts, Text.SLOW_BOUNCE, Intent.BOUNCE_PORT)
    if facts.negotiates:
        return bounce
    return _say(facts, Text.SLOW, Intent.RESTORE_NEGOTIATION, otherwise=bounce)


def _half(facts: LinkFacts) -> Finding:
    bounce = _say(facts, Text.HALF_BOUNCE, Intent.BOUNCE_PORT)
    if facts.negotiates:
        return bounce
    return _say(facts, Text.HALF, Intent.RESTORE_NEGOTIATION, otherwise=bounce)


def _beside(facts: LinkFacts, cause: Cause | None) -> Finding:
    """The port is well as far as it says."""
    if cause is Cause.ERRORS:
        if facts.tried.cable or facts.fibre:
            return _carry(facts)
        return _say(facts, Text.BROKEN_FRAMES, Intent.CABLE_DIAGNOSIS)
    if cause is Cause.ENDPOINT:
        if facts.poe in POWERED and facts.board_online is False:
            return _say(facts, Text.BOARD_POWERED, Intent.CYCLE_POE)
        return _say(facts, Text.BOARD)
    texts = {Cause.CONGESTION: Text.FULL, Cause.DNS: Text.NAMES}
    return _say(facts, texts.get(cause or Cause.LOSS, Text.LOSS))


_MEANS: Mapping[Cause, Callable[[LinkFacts], Finding]] = MappingProxyType({
    Cause.POWER: _power,
    Cause.UPLINK: _uplink,
    Cause.CONFIGURATION: _shut,
    Cause.LINK_DOWN: _dark,
    Cause.SPEED: _slow,
    Cause.DUPLEX: _half,
})  # fmt: skip


def _after_repair(facts: LinkFacts) -> Finding:
    """No second attempt: measure, once, where there is a cable that can be; then say what."""
    gravest = next(iter(facts.causes), None)
    copper = not facts.fibre and gravest in {*SETTLED_BY_NEGOTIATION, Cause.LINK_DOWN, Cause.ERRORS}
    if copper and Intent.CABLE_DIAGNOSIS not in facts.tried.intents and not facts.tried.cable:
        carry = _carry(facts)
        return _say(facts, Text.MEASURE, Intent.CABLE_DIAGNOSIS, otherwise=carry, without=carry)
    if gravest is Cause.ENDPOINT:
        return _say(facts, Text.BOARD)
    return _say(facts, Text.DARK_FIBRE) if facts.fibre else _carry(facts)


def _carry(facts: LinkFacts) -> Finding:
    if not facts.tried.cable:
        return _say(facts, Text.CARRY)
    measured, fault = read_cable(facts.tried.cable)
    if not measured:
        return _say(facts, Text.CARRY)
    if fault is None:
        return _say(facts, Text.CABLE_WELL)
    english, chinese = CABLE_STATES[fault.state]
    more = {"pair": fault.pair}
    text = Text.CARRY_PAIR
    if fault.metres is not None:
        text, more["metres"] = Text.CARRY_PAIR_AT, f"{fault.metres:g}"
    sentence = say(
        text,
        {**_places(facts), **more, "state": english},
        {"room": facts.room or NO_ROOM[1], "state": chinese},
    )
    return Finding(intent=None, sentence=sentence)


def read_cable(text: str) -> tuple[bool, CableFault | None]:
    """Whether a cable test says anything, and its first broken pair.

    JSON: ``[{"pair": "A", "state": "open", "metres": 12.0}]``, as agents send it. What is not
    understood says nothing.
    """
    try:
        said = read_foreign(text)
    except ValueError:
        return False, None
    measured = False
    for pair in said if isinstance(said, list) else ():
        state = str(pair.get("state", "")) if isinstance(pair, dict) else ""
        measured = measured or state == "ok" or state in CABLE_STATES
        if state in CABLE_STATES:
            metres = pair.get("metres")
            known = isinstance(metres, int | float) and not isinstance(metres, bool)
            name = str(pair.get("pair", "?"))[:8]
            return True, CableFault(name, state, float(metres) if known else None)
    return measured, None


def _places(facts: LinkFacts) -> dict[str, str]:
    return {
        "name": facts.name,
        "room": f"room {facts.room}" if facts.room else NO_ROOM[0],
        "switch": facts.switch,
        "port": facts.port,
        "speed": speed_words(facts.speed_mbps) if facts.speed_mbps else "-",
        "contract": speed_words(facts.contract_mbps),
    }


def _say(
    facts: LinkFacts,
    text: Text,
    intent: Intent | None = None,
    *,
    only_propose: bool = False,
    shadowed: bool = False,
    otherwise: Finding | None = None,
    without: Finding | None = None,
    why: str = "",
) -> Finding:
    sentence = say(
        text, {**_places(facts), "why": why}, {"room": facts.room or NO_ROOM[1], "why": _zh(why)}
    )
    return Finding(
        intent=intent,
        sentence=sentence,
        only_propose=only_propose,
        shadowed=shadowed,
        otherwise=otherwise,
        without=without,
    )


WHY_ZH: Mapping[str, str] = {
    "power": "供电",
    "its uplink": "上行链路",
    "planned work": "计划内维护",
    "the configuration says so": "配置如此",
    "never seen open": "从未见过它打开",
    "trouble above it": "上级故障",
    "its switch does not answer": "交换机无应答",
}
"""Reasons that stand in brackets."""


def _zh(why: str) -> str:
    return WHY_ZH.get(why, why)
