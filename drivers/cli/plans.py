"""From an intent and a port as it is to a change of it, whole and read back before it is shown.

Pure. An intent turns the settings of before into those of after; the dialect renders the lines
forth and back; then every group of lines is read back by the dialect's other half and has to mean
exactly what the change claims: this port and no other, the attributes that differ and no others, no
line that is not known, nothing saved before it is proved, and from wherever it may be cut the way
back leads to before. A change that does not pass is never shown to anybody.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from drivers.cli.dialect import Change, Dialect, Line, Meant, PortMode, PortSettings
from drivers.cli.errors import CannotError, SetSoAlreadyError, UnsafePlanError
from drivers.cli.settings import NO, YES, differences, same, set_all, set_one, text_of
from tenone.vocabulary.intents import MEANINGS, Intent

DEFAULT_VLAN = 1
SHOWN = 80
MOST_CHARS = 200
"""Of one line."""
ANSWERS = frozenset({"", "y", "Y", "n", "N", "c", "C"})
"""What may be answered to a question of a switch."""
TRANSIENT = {Intent.BOUNCE_PORT: "enabled", Intent.CYCLE_POE: "poe"}
"""Intents that switch something off and on again, and what."""
_NOTHING = re.compile(r"(?!)")
SWITCHED = (PortMode.ACCESS, PortMode.UNSET)


def plan(
    dialect: Dialect,
    intent: Intent,
    port: str,
    before: PortSettings | None,
    *,
    quarantine_vlan: int | None = None,
    remembered: PortSettings | None = None,
) -> Change:
    """The change that ``intent`` is on ``port`` as it is set now.

    ``port`` is the name that was polled, ``before`` None only for saving. ``remembered``: how the
    port was set when it was put into quarantine, for :attr:`Intent.RELEASE`. Raises
    :class:`BadPortError`, :class:`CannotError`, :class:`UnsafePlanError`.
    """
    if intent is Intent.SAVE_CONFIGURATION:
        return _checked(
            dialect, Change(intent=intent, port="", before=None, after=None, keep=dialect.save())
        )
    typed = dialect.check_port(port)
    if before is None:
        raise CannotError(f"how {typed} is set is not known, so nothing is changed on it")
    _refuse_hindered(dialect, intent, typed, before)
    after = _after(intent, typed, before, quarantine_vlan, remembered)
    if intent is Intent.CABLE_DIAGNOSIS:
        lines = dialect.test_cable(typed)
        change = Change(intent=intent, port=typed, before=before, after=before, apply=lines)
    elif intent not in TRANSIENT and same(before, after):
        raise SetSoAlreadyError(
            f"{typed} is set so already: there is nothing to do for {intent.value}"
        )
    else:
        change = dialect.change(intent, typed, before, after)
    return _checked(dialect, change)


def back(dialect: Dialect, port: str, now: PortSettings, before: PortSettings) -> tuple[Line, ...]:
    """What puts ``port`` from whatever it is now to ``before``; nothing where it is so.

    Raises :class:`BadPortError`, :class:`CannotError`, :class:`UnsafePlanError`.
    """
    typed = dialect.check_port(port)
    lines = dialect.set_port(typed, now, before)
    read = _read(dialect, lines, typed)
    if read.saves:
        raise UnsafePlanError(f"the way back of {typed} would save")
    _walk(now, before, read, typed)
    return lines


def is_between(now: PortSettings, before: PortSettings, after: PortSettings) -> bool:
    """Whether a port is neither as before nor as after; lines nobody reads are left aside."""
    return not same(now, before) and not same(now, after)


def _refuse_hindered(dialect: Dialect, intent: Intent, port: str, before: PortSettings) -> None:
    pattern = dialect.hinders.get(intent, _NOTHING)
    for line in before.other:
        if pattern.match(line):
            raise CannotError(
                f"{port} has the line {line[:SHOWN]!a}, which {intent.value} would not help or "
                f"could not put back: a person has to do it"
            )


def _after(
    intent: Intent,
    port: str,
    before: PortSettings,
    quarantine_vlan: int | None,
    remembered: PortSettings | None,
) -> PortSettings:
    after = before
    match intent:
        case Intent.RESTORE_NEGOTIATION:
            _need_open(intent, port, before)
            after = replace(before, negotiation=True, speed_mbps=None, duplex=None)
        case Intent.ENABLE_PORT:
            after = replace(before, enabled=True)
        case Intent.BOUNCE_PORT:
            _need_open(intent, port, before)
        case Intent.CYCLE_POE if not before.poe:
            raise CannotError(f"{port} is set to give no power, so there is none to take away")
        case Intent.EXAM_PRIORITY:
            after = replace(before, trust=True)
        case Intent.QUARANTINE:
            after = _quarantined(port, before, quarantine_vlan)
        case Intent.RELEASE:
            after = _released(port, before, quarantine_vlan, remembered)
    return after


def _need_open(intent: Intent, port: str, before: PortSettings) -> None:
    if not before.enabled:
        raise CannotError(f"{port} is shut by its configuration: {intent.value} would not help")


def _need_switched(intent: Intent, port: str, before: PortSettings) -> None:
    if before.mode not in SWITCHED:
        raise CannotError(
            f"{port} is a {before.mode.value} port and carries more than one device: "
            f"{intent.value} is for access ports"
        )


def _vlan(vlan: int | None) -> int:
    if vlan is None:
        raise CannotError("the switch has no 'quarantine_vlan' in school.yaml")
    if vlan == DEFAULT_VLAN:
        raise CannotError(f"VLAN {vlan} is where every port begins: it cannot be the quarantine")
    return vlan


def _quarantined(port: str, before: PortSettings, vlan: int | None) -> PortSettings:
    vlan = _vlan(vlan)
    _need_switched(Intent.QUARANTINE, port, before)
    return replace(before, mode=PortMode.ACCESS, access_vlan=vlan)


def _released(
    port: str, before: PortSettings, vlan: int | None, remembered: PortSettings | None
) -> PortSettings:
    vlan = _vlan(vlan)
    if before.mode is not PortMode.ACCESS or before.access_vlan != vlan:
        raise CannotError(f"{port} is not in the quarantine VLAN {vlan}")
    if remembered is None:
        return replace(before, access_vlan=None)
    _need_switched(Intent.RELEASE, port, remembered)
    return replace(before, mode=remembered.mode, access_vlan=remembered.access_vlan)


def _checked(dialect: Dialect, change: Change) -> Change:
    """``change``, once all its lines are read back; raises :class:`UnsafePlanError`."""
    what = f"{change.intent.value} of {change.port or 'the switch'}"
    prepare, apply, confirm, undo, keep = (
        _read(dialect, group, change.port)
        for group in (change.prepare, change.apply, change.confirm, change.undo, change.keep)
    )
    if any(read.saves for read in (prepare, apply, confirm, undo)):
        raise UnsafePlanError(f"{what} would save before it is proved")
    wanted = MEANINGS[change.intent].configures or change.intent is Intent.SAVE_CONFIGURATION
    if keep.saves != wanted:
        raise UnsafePlanError(f"{what} would {'save' if keep.saves else 'not save'} in the end")
    if any(read.sets or read.ports for read in (prepare, confirm, keep)):
        raise UnsafePlanError(f"{what} would set something outside of its steps")
    if change.before is None or change.after is None:
        return change  # saving: nothing but `keep`
    transient = TRANSIENT.get(change.intent)
    if not apply.ports:
        raise UnsafePlanError(f"{what} would do nothing")
    if transient is not None:
        _blinks(apply, transient, what)
    _walk(change.before, change.after, apply, what, transient)
    _way_back(dialect, change, undo, what)
    return change


def _read(dialect: Dialect, lines: Sequence[Line], port: str) -> Meant:
    """What the lines mean, all of them known and none about another port."""
    for line in lines:
        if len(line.text) > MOST_CHARS or not line.text.isascii() or not line.text.isprintable():
            raise UnsafePlanError(f"{line.text[:SHOWN]!a} is no line that may be typed")
        if any(ask.answer not in ANSWERS for ask in line.asks):
            raise UnsafePlanError(f"{line.text[:SHOWN]!a} would be answered with something unknown")
    read = dialect.meant([line.text for line in lines])
    if read.strange:
        raise UnsafePlanError(f"{read.strange[0][:SHOWN]!a} is no line of this dialect")
    if read.ports - {port}:
        raise UnsafePlanError(f"a line would touch another port than {port or 'none'}")
    return read


def _walk(
    start: PortSettings, end: PortSettings, read: Meant, what: str, transient: str | None = None
) -> None:
    """From ``start`` the lines lead to ``end``, each attribute only ever as in one of the two."""
    now = start
    for name, value in read.sets:
        if value not in {text_of(start, name), text_of(end, name)} and name != transient:
            raise UnsafePlanError(f"{what} would set {name} to {value} on its way")
        now = set_one(now, name, value)
    left = differences(now, end)
    if left:
        raise UnsafePlanError(f"{what} would not leave {left[0][0]} at {left[0][1]}")


def _blinks(read: Meant, attribute: str, what: str) -> None:
    values = [value for name, value in read.sets if name == attribute]
    if values != [NO, YES] or len(read.sets) != len(values):
        raise UnsafePlanError(
            f"{what} would not switch {attribute} off and on again, and only that"
        )


def _way_back(dialect: Dialect, change: Change, undo: Meant, what: str) -> None:
    """Wherever ``apply`` is cut, ``undo`` leads to before; from before, it changes nothing."""
    if change.before is None:
        return
    texts = [line.text for line in change.apply]
    for cut in range(len(texts) + 1):
        now = set_all(change.before, dialect.meant(texts[:cut]).sets)
        _walk(now, change.before, undo, f"the way back of {what}, cut after {cut} lines,")
