"""Actions among the records. Every step is one conditional change: the database decides races.

A step begins with an UPDATE that says what must still be true; whoever is second changes no row and
is told why. That takes the write lock (SQLite) or the row's (PostgreSQL), so what follows in the
same transaction is seen by nobody half done. Methods block.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from controller.store.protocols import StoreError
from controller.store.records import Unit
from controller.trust.approval_model import (
    FINAL,
    Action,
    ActionState,
    Sealed,
    Step,
    StepError,
    Voice,
)
from controller.trust.approval_own import SYSTEM, Own
from controller.trust.approval_rows import action_of, spoken, values_of
from controller.trust.approval_tables import ActionRow, VoiceRow
from controller.trust.people.standing import stands
from tenone.trust.approval import LIFE_MS
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.scope import ScopePath

MS_NS = 1_000_000
VOICE_NS = LIFE_MS * MS_NS
"""The first of two approvals counts so long for the second."""
AHEAD_NS = 60 * 1_000_000_000
"""How far the first may be ahead of the second: two at once, not a clock that was set back."""
MOST_WAITING = 50
"""Requests of one person that wait at the same time."""
MOST_WAITING_OWN = 1000
"""Of the controller itself: as many faults may wait for a word in a whole city."""
KEEP_NS = 3 * 366 * 86_400 * 1_000_000_000
"""Actions that are over are kept three years, as state changes are."""
Stands: TypeAlias = Callable[[Session, str, Permission, ScopePath, int], bool]
"""Whether an account still may, there, and is the one it was at that moment (ns)."""


class ActionRecords:
    """See the module. Raises :class:`StepError` and :class:`StoreError`."""

    def __init__(self, engine: Engine, *, stands: Stands = stands) -> None:
        self.engine = engine
        self._stands = stands
        self.own = Own()
        """The names that are no accounts; the composition says which there are."""

    def get(self, action: str) -> Action | None:
        """One action."""
        with Unit(self.engine) as unit:
            return _load(unit, action)

    def newest(self, scopes: Sequence[ScopePath], limit: int) -> list[Action]:
        """The newest of these scopes; those not over yet are never pushed out by those that are."""
        inside = sa.or_(
            sa.false(),
            *(
                sa.or_(
                    ActionRow.scope == str(one),
                    ActionRow.scope.startswith(f"{one}/", autoescape=True),
                )
                for one in scopes
                if one.parts
            ),
        )
        over = sa.case((ActionRow.state.in_(FINAL), 1), else_=0)
        query = sa.select(ActionRow).order_by(over, ActionRow.made_ns.desc()).limit(limit)
        if not any(not one.parts for one in scopes):
            query = query.where(inside)
        with Unit(self.engine) as unit:
            rows = unit.scalars(query).all()
            voices: dict[str, list[VoiceRow]] = {}
            ids = [row.id for row in rows]
            spoken = sa.select(VoiceRow).where(VoiceRow.action.in_(ids)).order_by(VoiceRow.slot)
            for one in unit.scalars(spoken):
                voices.setdefault(one.action, []).append(one)
            found = [action_of(row, voices.get(row.id, ())) for row in rows]
        return sorted(found, key=lambda one: one.made_ns, reverse=True)

    def add(self, action: Action) -> Action:
        """Keep a new one; a retry of the same request gets the first one."""
        again = self.same(action.requester, action.retry, action.asked)
        if again is not None:
            return again
        try:
            with Unit(self.engine) as unit:
                waiting = unit.scalar(
                    sa.select(sa.func.count())
                    .select_from(ActionRow)
                    .where(
                        ActionRow.requester == action.requester,
                        ActionRow.state == ActionState.WAITING,
                    )
                )
                most = MOST_WAITING_OWN if action.requester == SYSTEM else MOST_WAITING
                if (waiting or 0) >= most:
                    raise StepError(
                        Step.TOO_MANY,
                        f"{most} of your requests are waiting: withdraw some first.",
                    )
                unit.add(ActionRow(**values_of(action)))
        except StoreError as error:
            # Two retries at once: the second of them finds the first.
            if not _is_twice(error):
                raise
            again = self.same(action.requester, action.retry, action.asked)
            if again is None:
                raise
            return again
        return action

    def same(self, requester: str, retry: str, asked: str) -> Action | None:
        """What the requester asked for before under the same name; StepError if it is another."""
        query = sa.select(ActionRow.id).where(
            ActionRow.requester == requester, ActionRow.retry == retry
        )
        with Unit(self.engine) as unit:
            known = unit.scalars(query).first()
            found = None if known is None else _load(unit, known)
        if found is not None and found.asked != asked:
            raise StepError(
                Step.OTHER_REQUEST,
                f"The request {retry!r} was made before and asked for something else: "
                "give this one another name.",
            )
        return found

    def approve(
        self,
        action: str,
        voice: Voice,
        *,
        plan: str,
        seal: Callable[[Action, Sequence[Voice]], Sealed],
    ) -> Action:
        """Count an approval by somebody who looked at ``plan``; the last one it takes grants it.

        Approving again is no error and changes nothing. ``seal`` signs inside the transaction.
        Where whoever asked, or approved before, no longer may, the action is refused for good.
        """
        with Unit(self.engine) as unit:
            self._claim(unit, action, voice, plan)
            asked = _found(unit, action)
            may = Permission.APPROVE_ACTIONS
            if not self._may(unit, voice.account, may, asked, since_ns=voice.at_ns):
                raise StepError(Step.NOT_ALLOWED, "Your account no longer may approve this.")
            unit.execute(
                sa.delete(VoiceRow).where(
                    VoiceRow.action == action,
                    sa.or_(
                        VoiceRow.at_ns <= voice.at_ns - VOICE_NS,
                        VoiceRow.at_ns > voice.at_ns + AHEAD_NS,
                    ),
                )
            )
            if self._refused(unit, action, voice.at_ns):
                return _found(unit, action)
            known = _voices(unit, action)
            if voice.account not in {one.account for one in known}:
                taken = {row.slot for row in unit.scalars(_voice_rows(action))}
                slot = min(set(range(1, len(known) + 2)) - taken)
                unit.add(
                    VoiceRow(
                        action=action,
                        account=voice.account,
                        name=voice.name,
                        slot=slot,
                        at_ns=voice.at_ns,
                    )
                )
                unit.flush()
            found = _found(unit, action)
            if found.missing == 0:
                sealed = seal(found, found.voices)
                unit.execute(
                    sa.update(ActionRow)
                    .where(ActionRow.id == action, ActionRow.state == ActionState.WAITING)
                    .values(
                        state=ActionState.GRANTED,
                        document=sealed.text,
                        signature=sealed.signature,
                        ends_ns=sealed.ends_ns,
                    )
                )
                unit.expire_all()
            return _found(unit, action)

    def _claim(self, unit: Session, action: str, voice: Voice, plan: str) -> None:
        """Take the action for this transaction, or say why not."""
        claimed = _count(
            unit,
            sa.update(ActionRow)
            .where(
                ActionRow.id == action,
                ActionRow.state == ActionState.WAITING,
                ActionRow.ends_ns > voice.at_ns,
                ActionRow.plan == plan,
                ActionRow.requester != voice.account,
            )
            .values(changed_ns=voice.at_ns),
        )
        if claimed:
            return
        found = _load(unit, action)
        if found is None:
            raise StepError(Step.NO_SUCH, f"There is no action {action}.")
        if found.requester == voice.account:
            raise StepError(Step.OWN, "Whoever asks for an action cannot approve it.")
        if found.plan != plan:
            raise StepError(
                Step.CHANGED, "The plan is not the one you looked at: load the action again."
            )
        raise StepError(Step.OVER, _over(found))

    def end(
        self, action: str, state: ActionState, *, at_ns: int, outcome: str, by: str | None = None
    ) -> Action:
        """Refuse, withdraw (``by`` its requester alone) or expire what waits."""
        wanted = [ActionRow.id == action, ActionRow.state == ActionState.WAITING]
        if by is not None:
            wanted.append(ActionRow.requester == by)
        with Unit(self.engine) as unit:
            done = _count(
                unit,
                sa.update(ActionRow)
                .where(*wanted)
                .values(state=state, changed_ns=at_ns, outcome=outcome),
            )
            found = _load(unit, action)
        if found is None:
            raise StepError(Step.NO_SUCH, f"There is no action {action}.")
        if by is not None and found.requester != by:
            raise StepError(Step.NOT_OWN, "Only whoever asked for an action can withdraw it.")
        if not done and not (found.state is state and found.outcome == outcome):
            raise StepError(Step.OVER, _over(found))
        return found

    def begin(self, action: str, at_ns: int) -> Action | None:
        """Take a granted action to execute it: one caller ever gets it, the others None.

        It comes back refused where whoever asked or approved no longer may.
        """
        with Unit(self.engine) as unit:
            taken = _count(
                unit,
                sa.update(ActionRow)
                .where(
                    ActionRow.id == action,
                    ActionRow.state == ActionState.GRANTED,
                    ActionRow.ends_ns > at_ns,
                )
                .values(state=ActionState.STARTED, changed_ns=at_ns),
            )
            if taken:
                self._refused(unit, action, at_ns)
            return _found(unit, action) if taken else None

    def fallen(self, action: str) -> str:
        """Who of an action's people no longer may; empty: all still may."""
        with Unit(self.engine) as unit:
            return self._fallen(unit, _found(unit, action))

    def _fallen(self, unit: Session, found: Action) -> str:
        ask, approve = Permission.REQUEST_ACTIONS, Permission.APPROVE_ACTIONS
        people = [("asked for", found.requester, found.requester_name, ask, found.made_ns)]
        people += [("approved", one.account, one.name, approve, one.at_ns) for one in found.voices]
        for what, account, name, permission, since_ns in people:
            if not self._may(unit, account, permission, found, since_ns=since_ns):
                return f"{name or account}, who {what} it, no longer may: ask for it anew."
        return ""

    def _may(
        self, unit: Session, account: str, permission: Permission, found: Action, *, since_ns: int
    ) -> bool:
        said = self.own.may(account, permission, found)
        return (
            self._stands(unit, account, permission, found.scope, since_ns) if said is None else said
        )

    def _refused(self, unit: Session, action: str, at_ns: int) -> bool:
        """End an action whose people no longer may. It is this transaction's already."""
        said = self._fallen(unit, _found(unit, action))
        if said:
            unit.execute(
                sa.update(ActionRow)
                .where(ActionRow.id == action)
                .values(state=ActionState.REFUSED, changed_ns=at_ns, outcome=said)
            )
            unit.expire_all()
        return bool(said)

    def finish(
        self,
        action: str,
        state: ActionState,
        *,
        at_ns: int,
        outcome: str,
        was: ActionState = ActionState.STARTED,
    ) -> bool:
        """Note what came of an action that is ``was``; False: it is not (any more)."""
        with Unit(self.engine) as unit:
            done = _count(
                unit,
                sa.update(ActionRow)
                .where(ActionRow.id == action, ActionRow.state == was)
                .values(state=state, changed_ns=at_ns, outcome=outcome),
            )
        return bool(done)

    def active(self, requester: str) -> list[Action]:
        """What somebody asked for and is not over, the oldest first."""
        query = sa.select(ActionRow).where(
            ActionRow.requester == requester, ActionRow.state.not_in(FINAL)
        )
        with Unit(self.engine) as unit:
            rows = unit.scalars(query.order_by(ActionRow.made_ns)).all()
            return [action_of(row, unit.scalars(_voice_rows(row.id))) for row in rows]

    def granted(self) -> list[str]:
        """Ids of what is to be begun."""
        query = sa.select(ActionRow.id).where(ActionRow.state == ActionState.GRANTED)
        with Unit(self.engine) as unit:
            return list(unit.scalars(query.order_by(ActionRow.ends_ns)))

    def settle(self, at_ns: int, *, orphans: bool = False) -> list[tuple[str, ActionState]]:
        """End what has waited too long; with ``orphans``, also what an earlier run had begun."""
        ends = [
            (
                sa.and_(
                    ActionRow.state.in_([ActionState.WAITING, ActionState.GRANTED]),
                    ActionRow.ends_ns <= at_ns,
                ),
                ActionState.EXPIRED,
                "Its time was over before it was done.",
            )
        ]
        if orphans:
            ends.append(
                (
                    ActionRow.state == ActionState.STARTED,
                    ActionState.UNKNOWN,
                    "The controller was ended before the agent answered: look at the agent.",
                )
            )
        ended: list[tuple[str, ActionState]] = []
        with Unit(self.engine) as unit:
            for which, state, outcome in ends:
                found = unit.execute(
                    sa.update(ActionRow)
                    .where(which)
                    .values(state=state, changed_ns=at_ns, outcome=outcome)
                    .returning(ActionRow.id)
                )
                ended += [(one, state) for one in found.scalars()]
            old = sa.select(ActionRow.id).where(
                ActionRow.state.in_(FINAL), ActionRow.changed_ns < at_ns - KEEP_NS
            )
            unit.execute(sa.delete(VoiceRow).where(VoiceRow.action.in_(old)))
            unit.execute(sa.delete(ActionRow).where(ActionRow.id.in_(old)))
        return ended


def _count(unit: Session, statement: sa.Update) -> int:
    done = unit.execute(statement)
    return int(done.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def _is_twice(error: StoreError) -> bool:
    return isinstance(error.__cause__, sa.exc.IntegrityError)


def _over(action: Action) -> str:
    said = {
        ActionState.WAITING: "has waited too long",
        ActionState.GRANTED: "is approved already",
        ActionState.STARTED: "is being carried out",
    }
    return f"The action {said.get(action.state, f'is over: {action.state.value}')}."


def _voice_rows(action: str) -> sa.Select[VoiceRow]:
    return sa.select(VoiceRow).where(VoiceRow.action == action).order_by(VoiceRow.slot)


def _voices(unit: Session, action: str) -> tuple[Voice, ...]:
    return spoken(unit.scalars(_voice_rows(action)))


def _found(unit: Session, action: str) -> Action:
    found = _load(unit, action)
    if found is None:  # pragma: no cover - the transaction has just changed it
        raise StepError(Step.NO_SUCH, f"There is no action {action}.")
    return found


def _load(unit: Session, action: str) -> Action | None:
    row = unit.get(ActionRow, action, populate_existing=True)
    return None if row is None else action_of(row, unit.scalars(_voice_rows(action)))
