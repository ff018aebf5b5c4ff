"""Huawei VRP8 and YunShan OS in two-stage mode: a candidate that runs only once it is committed.

A change is committed on trial: unless a second ``commit`` comes within :data:`TRIAL_SECONDS` the
switch goes back by itself, also where nobody reaches it any more. ``abort trial`` goes back at
once; a port is bounced in a trial that is aborted, so it cannot stay shut. A session that is cut
before it commits leaves nothing, as its candidate is its own.

``commit [trial [60..65535]]``, ``abort trial``, views and questions: NE8000 command reference
"commit" and "abort trial"; NE40E "Configuration trial run"; CloudEngine "Basic configurations
commands"; support.huawei.com EDOC1100138286. (u) Whether a trial outlives the session that began
it, and whether another session of the same user may end it (the manual has ``abort trial session
N``), is not said: where it may not, the trial's own end is the way back. ``rollback configuration
to commit-id N`` (the list: ``display configuration commit list``) would take back what others
committed meanwhile as well, so the undo is the inverse lines, committed; a person finds the
commits in that list. Where the mode is set to immediate, ``commit trial`` is refused after the
lines took effect, and they are put back. (u) On S5700 of YunShan OS a port without ``port
link-type`` is taken for an access port as on CloudEngine; elsewhere the VLAN is refused. (u)
``negotiation disable`` of some CloudEngine releases is not typed: a port that has it is refused.
Other commands: see :mod:`drivers.cli.dialects.vrp`. None of it was run on real hardware.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from drivers.cli.dialect import Ask, Change, Line, PortSettings
from drivers.cli.dialects.bracketed import ENTERS, SWITCHES, YES_NO
from drivers.cli.dialects.common import PAUSES
from drivers.cli.dialects.vrp import TYPED_RULES, Vrp
from drivers.cli.grammar import HUAWEI_VRP8
from drivers.cli.plans import TRANSIENT
from drivers.cli.reading import Vocabulary
from tenone.vocabulary.intents import MEANINGS, Intent
from tenone.vocabulary.intents import Dialect as Name

TRIAL_SECONDS = 300
"""Apply, proof and the longest hold (60 s) have to fit in."""
BLINK_SECONDS = 60
"""The shortest trial there is: for a port that is shut and opened again."""
COMMIT_SECONDS = 60.0
_UNCOMMITTED = r"(?i)\[y(?:\(yes\))?/n(?:\(no\))?/c(?:\(cancel\))?\]\s*:?\s*\Z"
_STAY = Ask(_UNCOMMITTED, "c")
"""Some releases count a trial as not committed: rather stay in the view than end the trial."""
_FORGET = Ask(_UNCOMMITTED, "n")
_SYSTEM = Line("system-view", optional=True)
_COMMIT = Line("commit", seconds=COMMIT_SECONDS)
_ABORT = Line("abort trial", (YES_NO,), COMMIT_SECONDS)
_RETURN = Line("return", (_STAY,))


class HuaweiVrp8(Vrp):
    """See :class:`drivers.cli.dialect.Dialect`."""

    name = Name.HUAWEI_VRP8
    device_type = "huawei_vrpv8"
    leave: tuple[Line, ...] = (Line("return", (_FORGET,), optional=True),)
    grammar = HUAWEI_VRP8
    vocabulary = Vocabulary(
        enters=ENTERS,
        is_typed=HUAWEI_VRP8.is_typed,
        rules=TYPED_RULES,
        leaves=frozenset({"return"}),
        passing=re.compile(rf"system-view|commit trial (?:{TRIAL_SECONDS}|{BLINK_SECONDS})"),
        saves=frozenset({"save"}),
        settles=re.compile(r"commit"),
        reverts="abort trial",
    )
    start = PortSettings()
    """Ports are access ports by default (CloudEngine "VLAN configuration")."""

    def set_port(self, port: str, before: PortSettings, after: PortSettings) -> tuple[Line, ...]:
        """For good: what may be on trial is ended first."""
        inside = self.inside(before, after)
        if not inside:
            return ()
        return self._committed(port, self.lines(inside))

    def change(
        self, intent: Intent, port: str, before: PortSettings, after: PortSettings
    ) -> Change:
        """On trial, until it is confirmed."""
        switched = TRANSIENT.get(intent)
        if switched is not None:
            return self._blink(intent, port, before, switched)
        inside = self.lines(self.inside(before, after))
        return Change(
            intent=intent,
            port=port,
            before=before,
            after=after,
            apply=self._tried(port, inside, TRIAL_SECONDS),
            confirm=(_SYSTEM, _COMMIT, _RETURN),
            undo=self.set_port(port, after, before),
            keep=self.save() if MEANINGS[intent].configures else (),
            revert_seconds=float(TRIAL_SECONDS),
        )

    def _blink(self, intent: Intent, port: str, before: PortSettings, switched: str) -> Change:
        off, on = SWITCHES[switched]
        tried = self._tried(port, self.lines([off]), BLINK_SECONDS)
        *begun, commit, leave = tried
        return Change(
            intent=intent,
            port=port,
            before=before,
            after=before,
            apply=(*begun, replace(commit, pause=PAUSES[switched]), _ABORT, leave),
            undo=self._committed(port, self.lines([on])),
            revert_seconds=float(BLINK_SECONDS),
        )

    def _tried(self, port: str, lines: Sequence[Line], seconds: int) -> tuple[Line, ...]:
        enter = Line(f"interface {self.check_port(port)}")
        commit = Line(f"commit trial {seconds}", seconds=COMMIT_SECONDS)
        return (_SYSTEM, enter, *lines, commit, _RETURN)

    def _committed(self, port: str, lines: Sequence[Line]) -> tuple[Line, ...]:
        enter = Line(f"interface {self.check_port(port)}")
        return (_SYSTEM, replace(_ABORT, optional=True), enter, *lines, _COMMIT, _RETURN)
