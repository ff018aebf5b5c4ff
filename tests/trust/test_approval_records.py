"""Races on the real database: two approvers, approval and withdrawal, two controllers."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.store.protocols import StoreError
from controller.store.records import SqlRecords
from controller.trust.approval_model import Action, ActionState, Sealed, Step, StepError, Voice
from controller.trust.approval_records import KEEP_NS, VOICE_NS, ActionRecords
from controller.trust.approval_tables import VoiceRow
from tenone.trust.approval import Risk
from tenone.vocabulary.scope import ScopePath

NOW = 10**18
LATER = NOW + VOICE_NS
PLAN = "ab" * 32


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqlRecords]:
    records = SqlRecords(f"sqlite:///{tmp_path}/records.db")
    records.start()
    yield records
    records.close()


@pytest.fixture
def records(database: SqlRecords) -> ActionRecords:
    return ActionRecords(database.engine, stands=lambda *_: True)


def action(number: int = 1, risk: Risk = Risk.ORDINARY, scope: str = "c/east/no1") -> Action:
    return Action(
        id=f"a-{number}",
        scope=ScopePath.parse(scope),
        school=scope.rpartition("/")[2],
        intent="port.renegotiate",
        parameters={"port": "GE1"},
        lines=("a", "b"),
        plan=PLAN,
        device_state="cd" * 32,
        risk=risk,
        reason="slow",
        requester="account:li",
        requester_name="Li",
        retry=f"retry-{number}",
        asked="ef" * 32,
        made_ns=NOW + number,
        ends_ns=NOW + 10**15,
        changed_ns=NOW,
    )


def seal(found: Action, voices: object) -> Sealed:
    assert voices == found.voices
    return Sealed("text", "00", LATER)


def approve(records: ActionRecords, number: int, who: str, at_ns: int = NOW) -> Action:
    voice = Voice(account=f"account:{who}", name=who, at_ns=at_ns)
    return records.approve(f"a-{number}", voice, plan=PLAN, seal=seal)


def why(step: Callable[[], object]) -> Step:
    with pytest.raises(StepError) as error:
        step()
    assert str(error.value).endswith(".")
    return error.value.why


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run them in threads that begin together; what each returned or raised."""
    gate = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(number: int, work: Callable[[], object]) -> None:
        gate.wait()
        try:
            results[number] = work()
        except (StepError, StoreError) as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def race(records: ActionRecords, rounds: int, risk: Risk) -> Counter[str]:
    """Approvers race to approve, then two controllers race to begin; what came of it."""
    counted: Counter[str] = Counter()
    people = ("wang", "zhao") if risk is Risk.ORDINARY else ("wang", "zhao", "qian", "sun")
    for number in range(rounds):
        records.add(action(number, risk))
        answers = at_once(
            *(lambda who=who: approve(records, number, who) for who in people)  # noqa: B023 - joined in this round
        )
        granted = [one for one in answers if isinstance(one, Action) and one.document is not None]
        late = [one for one in answers if isinstance(one, StepError) and one.why is Step.OVER]
        counted["granting approvals"] += len(granted)
        counted["refused as too late"] += len(late)
        counted["failed otherwise"] += sum(isinstance(one, StoreError) for one in answers)
        begun = at_once(*[lambda: records.begin(f"a-{number}", NOW)] * 2)  # noqa: B023 - the same
        counted["executions"] += sum(isinstance(one, Action) for one in begun)
        found = records.get(f"a-{number}")
        assert found is not None
        assert len(found.voices) == risk.approvers
    counted["rounds"] = rounds
    return counted


@pytest.mark.parametrize(
    "rounds", [15, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
@pytest.mark.parametrize("risk", list(Risk))
def test_abuse_24_racing_approvers_execute_once(
    records: ActionRecords, rounds: int, risk: Risk
) -> None:
    counted = race(records, rounds, risk)
    print(f"\nrace of approvers, {risk.value} risk: {dict(counted)}")
    assert counted["executions"] == counted["granting approvals"] == rounds
    assert counted["failed otherwise"] == 0
    # Two too many where one is enough of two; two of four where two are.
    assert counted["refused as too late"] == rounds * (1 if risk is Risk.ORDINARY else 2)


def test_an_approval_races_its_withdrawal(records: ActionRecords) -> None:
    for number in range(15):
        records.add(action(number))
        at_once(
            lambda: approve(records, number, "wang"),  # noqa: B023 - joined in this round
            lambda: records.end(
                f"a-{number}",  # noqa: B023 - the same
                ActionState.WITHDRAWN,
                at_ns=NOW,
                outcome="",
                by="account:li",
            ),
        )
        found = records.get(f"a-{number}")
        assert found is not None
        begun = records.begin(found.id, NOW)
        assert (begun is not None) is (found.state is ActionState.GRANTED)
        assert found.state in {ActionState.GRANTED, ActionState.WITHDRAWN}


def test_retries_at_once_make_one_request(records: ActionRecords) -> None:
    from dataclasses import replace  # noqa: PLC0415 - for this one

    for number in range(8):
        made = at_once(
            *(
                lambda other=other: records.add(replace(action(number), id=f"a-{number}-{other}"))  # noqa: B023 - joined in this round
                for other in range(3)
            )
        )
        assert len({one.id for one in made if isinstance(one, Action)}) == 1
        assert all(isinstance(one, Action) for one in made)


def test_steps_that_are_not_taken(records: ActionRecords) -> None:
    records.add(action())
    voice = Voice(account="account:wang", name="", at_ns=NOW)
    assert why(lambda: approve(records, 2, "wang")) is Step.NO_SUCH
    assert why(lambda: approve(records, 1, "li")) is Step.OWN
    assert why(lambda: records.approve("a-1", voice, plan="00", seal=seal)) is Step.CHANGED
    assert why(lambda: approve(records, 1, "wang", NOW + 10**15)) is Step.OVER
    assert why(lambda: records.end("a-9", ActionState.REFUSED, at_ns=NOW, outcome="")) is (
        Step.NO_SUCH
    )
    other = Voice(account="account:zhao", name="", at_ns=NOW)
    assert records.approve("a-1", other, plan=PLAN, seal=seal).state is ActionState.GRANTED
    assert why(lambda: approve(records, 1, "wang")) is Step.OVER
    assert records.begin("a-1", LATER) is None  # too late
    assert records.begin("a-1", NOW) is not None
    assert records.begin("a-1", NOW) is None
    records.finish("a-1", ActionState.DONE, at_ns=NOW, outcome="Done.")
    records.finish("a-1", ActionState.FAILED, at_ns=NOW, outcome="Again.")
    found = records.get("a-1")
    assert found is not None
    assert (found.state, found.outcome) == (ActionState.DONE, "Done.")


def test_a_clock_set_back_does_not_prolong_the_first_approval(records: ActionRecords) -> None:
    records.add(action(1, Risk.HIGH))
    approve(records, 1, "wang", NOW + 3600 * 10**9)
    assert approve(records, 1, "zhao", NOW).missing == 1
    assert approve(records, 1, "wang", NOW - 10**9).state is ActionState.GRANTED  # two at once


def test_what_waits_is_not_pushed_out_of_the_list(records: ActionRecords) -> None:
    """Somebody asks and withdraws, again and again, until nobody sees the other request."""
    records.add(action(0))
    for number in range(1, 5):
        records.add(action(number))
        records.end(f"a-{number}", ActionState.WITHDRAWN, at_ns=NOW, outcome="")
    assert [one.id for one in records.newest([ScopePath()], 3)] == ["a-4", "a-3", "a-0"]


def test_a_seal_that_fails_grants_nothing(records: ActionRecords) -> None:
    records.add(action())

    def broken(_found: Action, _voices: object) -> Sealed:
        raise StoreError("no key")

    voice = Voice(account="account:wang", name="", at_ns=NOW)
    with pytest.raises(StoreError):
        records.approve("a-1", voice, plan=PLAN, seal=broken)
    found = records.get("a-1")
    assert found is not None
    assert (found.state, found.voices) == (ActionState.WAITING, ())


def test_lists_are_cut_to_scopes(records: ActionRecords) -> None:
    for number, scope in enumerate(("c/east/no1", "c/east/no1-b", "c/east-/no2", "d/east/no1")):
        records.add(action(number, scope=scope))

    def seen(*scopes: str) -> list[str]:
        found = records.newest([ScopePath.parse(one) for one in scopes], 10)
        return [str(one.scope) for one in found]

    assert len(seen("")) == 4
    assert seen("c/east/no1") == ["c/east/no1"]
    assert seen("c/east") == ["c/east/no1-b", "c/east/no1"]
    assert seen("c/east/no1", "d") == ["d/east/no1", "c/east/no1"]
    assert seen() == []
    assert len(records.newest([ScopePath()], 2)) == 2


def test_what_is_over_is_forgotten_after_three_years(records: ActionRecords) -> None:
    records.add(action(1))
    records.add(action(2))
    approve(records, 1, "wang")
    assert records.granted() == ["a-1"]
    assert records.begin("a-1", NOW) is not None
    ended = records.settle(NOW + 10**15, orphans=True)
    assert sorted(ended) == [("a-1", ActionState.UNKNOWN), ("a-2", ActionState.EXPIRED)]
    assert records.settle(NOW + 10**15) == []
    records.settle(NOW + 10**15 + KEEP_NS + 1)
    assert records.get("a-1") is None


def test_the_database_itself_lets_no_two_voices_take_one_place(
    database: SqlRecords, records: ActionRecords
) -> None:
    records.add(action(1, Risk.HIGH))
    for account, slot in (("account:wang", 1), ("account:zhao", 1), ("account:wang", 2)):
        row = VoiceRow(action="a-1", account=account, name="", slot=slot, at_ns=NOW)
        if (account, slot) == ("account:wang", 1):
            with database.unit() as unit:
                unit.add(row)
            continue
        with pytest.raises(StoreError), database.unit() as unit:
            unit.add(row)
