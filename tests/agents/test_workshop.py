"""Plans at a switch: what is drawn, what the school's own rules refuse, whom the agent admits."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from agents.commands import Code, CommandFailed
from agents.pending import Pending, PendingBook
from agents.sessions import Sessions
from agents.workshop import RepairShop
from drivers.cli.dialect import Line
from tenone.journal.disk import OsDisk
from tenone.trust.approval import Refusal, Refused
from tenone.vocabulary.intents import Dialect, Intent
from tenone.vocabulary.states import ClockQuality
from tests.agents.repair_bench import PASSWORD, SimConsole, SimSchool, drive
from tests.trust.approving import approval

SECRET_LINE = " ospf authentication-mode md5 1 cipher {}"
PORT = "GigabitEthernet0/0/1"
FORCED = ("system-view", f"interface {PORT}", "undo negotiation auto", "speed 100", "return")


class Waiting:
    """Does nothing and remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[Pending] = []

    async def execute(self, pending: Pending) -> str:
        self.given.append(pending)
        return "done"


class Shop:
    """A school, and the agent's part that plans."""

    def __init__(self, folder: Path, **cli: Any) -> None:
        self.sim = SimSchool(folder, Dialect.HUAWEI_VRP5, **cli)
        self.doer = Waiting()
        self.quality = ClockQuality.SYNCHRONISED
        self.book = PendingBook(folder / "outbox", disk=OsDisk())
        self.sessions = Sessions(self.sim.config, self.sim.consoles, clock=self.sim.clock)
        self.shop = RepairShop(
            self.sim.config,
            sessions=self.sessions,
            eyes=self.sim.eyes,
            book=self.book,
            doer=self.doer,
            clock=self.sim.clock,
            quality=lambda: self.quality,
        )

    async def plan(self, intent: str, **parameters: str) -> dict[str, Any]:
        arguments = {"intent": intent, "parameters": {"switch": "core", **parameters}}
        found: dict[str, Any] = json.loads(await drive(self.sim.clock, self.shop.plan(arguments)))
        return found

    async def refused(self, intent: str, **parameters: str) -> tuple[int, str]:
        with pytest.raises(CommandFailed) as failed:
            await self.plan(intent, **parameters)
        return failed.value.code, str(failed.value)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


async def test_a_plan_has_the_lines_the_facts_and_how_many_people(shop: Shop) -> None:
    shop.sim.type(*FORCED)
    plan = await shop.plan("restore-negotiation", port=PORT)
    assert any(line.startswith("do: ") and "negotiation auto" in line for line in plan["lines"])
    assert any(line.startswith("undo: ") and "speed 100" in line for line in plan["lines"])
    assert any(line.startswith("keep: ") for line in plan["lines"])
    assert any(line.startswith("if it does not help: ") for line in plan["lines"])
    assert plan["persons"] == 1
    assert set(plan["facts"]) == {"switch", "host key", f"port {PORT}"}
    assert json.loads(plan["facts"][f"port {PORT}"])["speed_mbps"] == 100
    assert PASSWORD not in json.dumps(plan)
    assert shop.sim.wire.transcript  # it was read, and nothing else
    assert all(line.startswith("display") for line in shop.sim.wire.transcript)


async def test_the_same_switch_gives_the_same_plan_and_another_state_another(shop: Shop) -> None:
    shop.sim.type(*FORCED)
    first = await shop.plan("restore-negotiation", port=PORT)
    assert await shop.plan("restore-negotiation", port=PORT) == first
    assert shop.sim.consoles.opened == 1  # the session is kept
    shop.sim.type("system-view", f"interface {PORT}", "description x", "return")
    assert (await shop.plan("restore-negotiation", port=PORT))["facts"] != first["facts"]


@pytest.mark.parametrize("intent", ["restore-negotiation", "bounce-port"])
async def test_secrets_of_a_ports_section_stay_at_the_school(
    shop: Shop, intent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts and refusals repeat lines of the switch; what is secret in them is not sent."""
    shop.sim.type(*FORCED)
    said = [SECRET_LINE.format("CANARY-1")]
    whole = SimConsole._carry_out

    def carry_out(console: SimConsole, line: Line) -> str:
        return re.sub(r"(?m)^#$", f"{said[0]}\n#", whole(console, line))

    monkeypatch.setattr(SimConsole, "_carry_out", carry_out)
    facts = (await shop.plan(intent, port=PORT))["facts"]
    assert "md5 1 cipher <secret:" in str(facts)
    assert "CANARY" not in str(facts)
    assert (await shop.plan(intent, port=PORT))["facts"] == facts
    said[0] = SECRET_LINE.format("CANARY-2")
    assert (await shop.plan(intent, port=PORT))["facts"] != facts
    said[0] = " undo negotiation auto cipher CANARY-3" + "x" * 5000
    _, words = await shop.refused(intent, port=PORT)
    assert "longer than any known" in words
    assert "CANARY" not in words


async def test_a_kept_session_that_has_died_is_opened_anew(shop: Shop) -> None:
    shop.sim.type(*FORCED)
    first = await shop.plan("restore-negotiation", port=PORT)
    shop.sim.wire.arm(0, taken=False)
    shop.sim.wire.away_seconds = 0.0
    assert await shop.plan("restore-negotiation", port=PORT) == first
    assert shop.sim.consoles.opened == 2


async def test_quarantine_takes_two(shop: Shop) -> None:
    assert (await shop.plan("quarantine", port=PORT))["persons"] == 2


@pytest.mark.parametrize(
    ("cli", "intent", "parameters", "why", "words"),
    [
        ({}, "reboot", {"port": PORT}, Refusal.NO_SUCH_INTENT, "no intent 'reboot'"),
        ({}, "bounce-port", {}, Refusal.NO_SUCH_INTENT, "needs port"),
        ({}, "bounce-port", {"port": PORT, "x": "1"}, Refusal.NO_SUCH_INTENT, "parameter 'x'"),
        ({}, "bounce-port", {"port": PORT, "switch": "no"}, Refusal.NOT_HERE, "no switch 'no'"),
        ({}, "bounce-port", {"port": PORT, "switch": "bare"}, Refusal.NOT_HERE, "no 'cli'"),
        ({}, "bounce-port", {"port": "GE9/9/9"}, Refusal.NOT_HERE, "reports no port 'GE9/9/9'"),
        ({}, "bounce-port", {"port": f"{PORT}\nreboot"}, Refusal.NOT_HERE, "reports no port"),
        ({"protected": [PORT]}, "bounce-port", {"port": PORT}, Refusal.NOT_HERE, "protected"),
        ({"protected": ["?"]}, "bounce-port", {"port": PORT}, Refusal.NOT_HERE, "no single such"),
        ({"intents": ["enable-port"]}, "bounce-port", {"port": PORT}, Refusal.NOT_HERE, "list"),
        ({"quarantine_vlan": None}, "quarantine", {"port": PORT}, Refusal.NOT_HERE, "vlan"),
        ({}, "release", {"port": PORT}, Refusal.NOT_HERE, "not quarantined"),
        ({}, "restore-negotiation", {"port": PORT}, Refusal.SET_SO_ALREADY, "nothing"),
        ({}, "exam-priority", {"port": PORT, "until_ms": "1"}, Refusal.NOT_HERE, "next 12 h"),
        ({}, "exam-priority", {"port": PORT, "until_ms": "x"}, Refusal.NO_SUCH_INTENT, "number"),
    ],
)
async def test_what_the_schools_own_rules_refuse(
    tmp_path: Path,
    cli: dict[str, Any],
    intent: str,
    parameters: dict[str, str],
    why: Refusal,
    words: str,
) -> None:
    shop = Shop(tmp_path, **cli)
    code, sentence = await shop.refused(intent, **parameters)
    assert (code, words in sentence) == (why, True), sentence
    assert "\n" not in sentence
    assert not [line for line in shop.sim.wire.transcript if not line.startswith("display")]


async def test_abuse_22_an_uplink_is_touched_only_where_the_school_says_so(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "a")
    uplink = shop.sim.uplink
    code, sentence = await shop.refused("bounce-port", port=uplink)
    assert (code, "carries the uplink link up" in sentence) == (Refusal.NOT_HERE, True)
    shop = Shop(tmp_path / "b", allowed=[uplink])
    assert (await shop.plan("bounce-port", port=uplink))["lines"]
    shop = Shop(tmp_path / "c", allowed=[uplink])
    shop.sim.eyes.gateway_at = frozenset({uplink})
    assert "gateway itself" in (await shop.refused("bounce-port", port=uplink))[1]


async def test_a_name_that_would_be_typed_like_a_protected_ones_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ports polled as GE0/0/4 and GigabitEthernet0/0/4: rules know one, the line both."""
    shop = Shop(tmp_path, protected=["GigabitEthernet0/0/4"])
    eyes, whole = shop.sim.eyes, shop.sim.eyes.reported
    monkeypatch.setattr(eyes, "reported", lambda switch: whole(switch) | {"GE0/0/4", "NULL0"})
    eyes.lies.append(lambda ports: ports.update({"GE0/0/4": ports[PORT]}))
    why, words = await shop.refused("bounce-port", port="GE0/0/4")
    assert why == Refusal.NOT_HERE
    assert "typed GigabitEthernet0/0/4" in words
    assert not shop.sim.wire.transcript
    assert (await shop.plan("bounce-port", port=PORT))["lines"]


async def test_a_switch_with_a_change_that_has_not_ended_is_left_alone(shop: Shop) -> None:
    lines = await drive(shop.sim.clock, shop.shop.render(person()))
    await shop.shop.execute(person(), lines)
    await shop.book.put(shop.doer.given[0])
    code, sentence = await shop.refused("bounce-port", port=PORT)
    assert code == Refusal.UNDER_WAY
    assert "a-1" in sentence


AT = {"switch": "core", "port": PORT}


def person(**changed: Any) -> Any:
    return approval(parameters=AT, **{"intent": "bounce-port", **changed})


STANDING = "standing:0123456789abcdef"


@pytest.mark.parametrize(
    ("automatic", "document", "admitted"),
    [
        (["bounce-port"], person(), True),
        ([], person(requester="system:enforcement"), True),
        (["bounce-port"], person(requester="system:enforcement", approvers=(STANDING,)), True),
        ([], person(requester="system:enforcement", approvers=(STANDING,)), False),
        (["enable-port"], person(requester="system:enforcement", approvers=(STANDING,)), False),
        (["bounce-port"], person(approvers=(STANDING,)), False),
        (["bounce-port"], person(requester="system:other", approvers=(STANDING,)), False),
        (
            ["bounce-port"],
            person(requester="system:enforcement", approvers=("standing:x",)),
            False,
        ),
        (
            ["bounce-port"],
            person(requester="system:enforcement", approvers=("account:li", STANDING)),
            False,
        ),
    ],
)
def test_without_people_only_what_the_school_agreed_to(
    tmp_path: Path, automatic: list[str], document: Any, admitted: bool
) -> None:
    shop = Shop(tmp_path, automatic=automatic)
    if admitted:
        assert shop.shop.persons(document) == 1
        return
    with pytest.raises(Refused) as refused:
        shop.shop.persons(document)
    assert refused.value.why is Refusal.PERSONS


async def test_what_is_executed_is_what_was_drawn(shop: Shop) -> None:
    shop.sim.type(*FORCED)
    at = {**AT, "hold_seconds": "2.5", "contract_mbps": "100"}
    document = approval(intent="restore-negotiation", parameters=at)
    lines = await drive(shop.sim.clock, shop.shop.render(document))
    assert await shop.shop.state(document)
    with pytest.raises(Refused):
        await shop.shop.state(approval(action="a-2"))
    with pytest.raises(CommandFailed):
        await shop.shop.execute(document, [*lines, "do: reboot"])
    lines = await drive(shop.sim.clock, shop.shop.render(document))
    assert await shop.shop.execute(document, lines) == "done"
    (pending,) = shop.doer.given
    assert pending.intent is Intent.RESTORE_NEGOTIATION
    assert pending.contract_mbps == 1000  # school.yaml says so; the city's word is for where not
    assert pending.hold_seconds == 2.5
    assert pending.room == "r1"
    assert set(pending.before) == {PORT, shop.sim.uplink}


@pytest.mark.parametrize(
    "arguments", [{}, {"intent": "x"}, {"intent": "x", "parameters": {"switch": 1}}]
)
async def test_odd_arguments_are_refused(shop: Shop, arguments: dict[str, object]) -> None:
    with pytest.raises(CommandFailed) as failed:
        await shop.shop.plan(arguments)
    assert failed.value.code is Code.BAD_ARGUMENTS


async def test_a_plan_says_whether_somebody_sets_the_clock(shop: Shop) -> None:
    """Approvals were given that no gateway would take; the city is told before it asks."""
    shop.sim.type(*FORCED)
    for quality in (ClockQuality.SYNCHRONISED, ClockQuality.FREE_RUNNING):
        shop.quality = quality
        plan = await shop.plan("restore-negotiation", port=PORT)
        assert plan["clock"] == quality.name.lower()
