"""Actions as rows of the records, there and back."""

import json
from collections.abc import Iterable

from controller.trust.approval_model import Action, ActionState, Voice
from controller.trust.approval_tables import ActionRow, VoiceRow
from tenone.trust.approval import Risk
from tenone.vocabulary.scope import ScopePath


def spoken(rows: Iterable[VoiceRow]) -> tuple[Voice, ...]:
    """Who approved."""
    return tuple(Voice(account=row.account, name=row.name, at_ns=row.at_ns) for row in rows)


def action_of(row: ActionRow, voices: Iterable[VoiceRow]) -> Action:
    """An action as its row and voices say it."""
    return Action(
        id=row.id,
        scope=ScopePath.parse(row.scope),
        school=row.school,
        intent=row.intent,
        parameters=json.loads(row.parameters),
        lines=tuple(json.loads(row.lines)),
        plan=row.plan,
        device_state=row.device_state,
        risk=Risk(row.risk),
        reason=row.reason,
        requester=row.requester,
        requester_name=row.requester_name,
        retry=row.retry,
        asked=row.asked,
        made_ns=row.made_ns,
        ends_ns=row.ends_ns,
        changed_ns=row.changed_ns,
        state=ActionState(row.state),
        voices=spoken(voices),
        document=row.document,
        signature=row.signature,
        outcome=row.outcome,
    )


def values_of(action: Action) -> dict[str, object]:
    """The columns of an action's row."""
    return {
        "id": action.id,
        "scope": str(action.scope),
        "school": action.school,
        "intent": action.intent,
        "parameters": json.dumps(dict(action.parameters), sort_keys=True),
        "lines": json.dumps(list(action.lines)),
        "plan": action.plan,
        "device_state": action.device_state,
        "risk": action.risk.value,
        "reason": action.reason,
        "requester": action.requester,
        "requester_name": action.requester_name,
        "retry": action.retry,
        "asked": action.asked,
        "made_ns": action.made_ns,
        "ends_ns": action.ends_ns,
        "changed_ns": action.changed_ns,
        "state": action.state.value,
        "document": action.document,
        "signature": action.signature,
        "outcome": action.outcome,
    }
