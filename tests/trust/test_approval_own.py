"""The controller asks, its rules approve, and nobody else ever by those names."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.store.records import SqlRecords
from controller.trust.approval_model import Action, ActionState, Step, StepError, Voice
from controller.trust.approval_own import OURS, SYSTEM, Own, standing_of
from controller.trust.approval_records import MOST_WAITING, ActionRecords
from controller.trust.people.model import RefusedError, check_name
from controller.trust.people.records import AccountRecords
from tenone.config.enforcement import Enforcement
from tenone.trust.approval import Risk
from tenone.vocabulary.roles import Permission
from tests.trust.test_approval_records import NOW, PLAN, action, seal

RULES = Enforcement.model_validate({"mode": "auto"})
OWN = Own(standing_of(RULES))


@pytest.fixture
def records(tmp_path: Path) -> Iterator[ActionRecords]:
    database = SqlRecords(f"sqlite:///{tmp_path}/records.db")
    database.start()
    made = ActionRecords(database.engine)  # the real test of people
    made.own = OWN
    yield made
    database.close()


def ours(number: int = 1, risk: Risk = Risk.ORDINARY) -> Action:
    return replace(action(number, risk), requester=SYSTEM)


def approve(records: ActionRecords, found: Action, account: str) -> Action:
    voice = Voice(account=account, name="", at_ns=NOW + 100)
    return records.approve(found.id, voice, plan=PLAN, seal=seal)


def test_the_name_is_that_of_the_rules() -> None:
    name = standing_of(RULES)
    assert name.startswith("standing:")
    assert len(name) == len("standing:") + 16
    assert name == standing_of(Enforcement.model_validate({"mode": "auto", "modes": []}))
    assert name != standing_of(Enforcement.model_validate({"mode": "propose"}))


def test_the_rules_approve_what_the_controller_asked_for(records: ActionRecords) -> None:
    records.add(ours())
    granted = approve(records, ours(), OWN.standing)
    assert granted.state is ActionState.GRANTED
    begun = records.begin(granted.id, NOW + 200)
    assert begun is not None
    assert begun.state is ActionState.STARTED


@pytest.mark.parametrize(
    ("found", "account"),
    [
        (action(), OWN.standing),  # a person's request
        (ours(), standing_of(Enforcement())),  # other rules
        (ours(), "standing:"),
        (ours(), "system:other"),
        (ours(risk=Risk.HIGH), OWN.standing),
        (ours(), "account:nobody"),
        (ours(), "nobody"),
    ],
)
def test_nobody_else_does(records: ActionRecords, found: Action, account: str) -> None:
    records.add(found)
    with pytest.raises(StepError) as refused:
        approve(records, found, account)
    assert refused.value.why is Step.NOT_ALLOWED
    kept = records.get(found.id)
    assert kept is not None
    assert (kept.state, kept.voices) == (ActionState.WAITING, ())


def test_the_controller_does_not_approve_its_own_request(records: ActionRecords) -> None:
    records.add(ours())
    with pytest.raises(StepError, match="cannot approve"):
        approve(records, ours(), SYSTEM)


@pytest.mark.parametrize("own", [Own(), Own(standing_of(Enforcement()))])
def test_other_rules_take_back_what_the_old_ones_granted(records: ActionRecords, own: Own) -> None:
    records.add(ours())
    granted = approve(records, ours(), OWN.standing)
    records.own = own
    begun = records.begin(granted.id, NOW + 200)
    assert begun is not None
    assert begun.state is ActionState.REFUSED


@pytest.mark.parametrize("name", [SYSTEM, OWN.standing, "system:x", "a:b", "account:li"])
def test_no_account_is_called_so(records: ActionRecords, name: str) -> None:
    with pytest.raises(RefusedError):
        check_name(name)
    with pytest.raises(RefusedError):
        AccountRecords(records.engine).create(name, "Li", (), 0.0)


def test_a_role_makes_nobody_one_of_ours() -> None:
    for account in ("account:li", "key:7", "code", "machine:no1"):
        for permission in Permission:
            assert OWN.may(account, permission, action()) is None
    for prefix in OURS:
        others = [one for one in Permission if not one.value.startswith("actions.")]
        assert not any(OWN.may(f"{prefix}x", one, ours()) for one in others)


def test_a_city_of_faults_may_wait(records: ActionRecords) -> None:
    for number in range(MOST_WAITING + 1):
        records.add(ours(number))
    assert len(records.active(SYSTEM)) == MOST_WAITING + 1
    assert records.active("account:li") == []


def test_an_unknown_outcome_is_learnt_once(records: ActionRecords) -> None:
    records.add(ours())
    approve(records, ours(), OWN.standing)
    assert records.begin("a-1", NOW + 200) is not None

    def learn(state: ActionState) -> bool:
        was = ActionState.UNKNOWN
        return records.finish("a-1", state, at_ns=NOW + 300, outcome="Done.", was=was)

    assert not learn(ActionState.DONE)
    assert records.settle(NOW + 250, orphans=True) == [("a-1", ActionState.UNKNOWN)]
    assert learn(ActionState.DONE)
    assert not learn(ActionState.FAILED)
    kept = records.get("a-1")
    assert kept is not None
    assert kept.state is ActionState.DONE
