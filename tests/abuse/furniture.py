"""Something in every room at every school: an empty list shows nobody's data and proves nothing.

Agents of the schools send what makes faults, proposals, configurations and drift; what people do
is done by the API; how a repair went is written where the room of repairs reads it.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from controller.enforcement.attempts import Attempt, End
from controller.enforcement.records import RepairRecords, Told
from tenone.blocks.layout import layout
from tenone.vocabulary.configurations import CONFIGURATIONS
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.metrics import PORT_INVENTORY
from tenone.vocabulary.repairs import RepairStep
from tenone.vocabulary.roles import Role
from tenone.vocabulary.scope import ScopePath
from tests.controller.harness import PORT_LAYOUT, SchoolAgent, until

if TYPE_CHECKING:
    from tests.abuse.whole import Whole

NS = 1_000_000_000
HOSTILE = "'\"><pwn onerror=pwn(1)>"
"""Wherever a device, a switch or a person may put words."""
WAIT_SECONDS = 60.0
SWEEP_SECONDS = 5.0
LINKS = ("c301", "c302")


def split(school: str) -> tuple[str, str]:
    """District and slug of ``west/no3``; without a district it lies in east."""
    district, _, slug = school.rpartition("/")
    return district or "east", slug


async def agents_of(
    closing: AsyncExitStack, folder: Path, port: int, schools: Sequence[str]
) -> list[SchoolAgent]:
    """An agent a school: two slow links, a configuration that drifted, a port that is missing."""
    agents: list[SchoolAgent] = []
    for district, school in map(split, schools):

        async def done(_arguments: Mapping[str, object], school: str = school) -> str:
            return f"{school}: done"

        verbs = dict.fromkeys(("AcceptConfiguration", "FetchConfiguration", "Poll"), done)
        agent = await closing.enter_async_context(
            SchoolAgent(folder / school, port=port, school=school, district=district, verbs=verbs)
        )
        await agent.keep_ports(speed_mbps=[100, 100, 10_000])
        found = f"@ interface GE1\n+ description {HOSTILE}"
        told: tuple[int | str, ...] = (1, "b" * 64, "a" * 64, found, "[]", "")
        await agent._keep(
            layout("configurations", CONFIGURATIONS, ["sw1"]),
            f"{school}/gateway/configurations",
            {name: [one] for name, one in zip(CONFIGURATIONS, told, strict=True)},
        )
        await agent._keep(
            layout("port-inventory", PORT_INVENTORY, [*PORT_LAYOUT.rows[:1], PORT_LAYOUT.rows[2]]),
            f"{school}/switch/sw1",
            {"if_index": [1, 3], "if_alias": [HOSTILE, HOSTILE]},
        )
        await agent.drained(WAIT_SECONDS)
        agents.append(agent)
    return agents


async def sweeping(agents: Sequence[SchoolAgent]) -> None:
    """What the agents go on telling: who is silent for a minute has no proposals any more."""
    while True:
        for agent in agents:
            await agent.keep_ports(speed_mbps=[100, 1000, 10_000])
        await asyncio.sleep(SWEEP_SECONDS)


async def ended(task: asyncio.Future[None]) -> None:
    """End it."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def furnish(house: "Whole", schools: Sequence[str], agents: Sequence[SchoolAgent]) -> None:
    """One of each by the API at every school; ``house.known`` and ``house.pools`` say which."""
    everywhere = ScopePath()
    desk, repairs = house.running.incident_desk, house.services.enforcement
    count = len(schools)
    await until(
        lambda: sum(one.name in LINKS for one in desk.views(everywhere)) == 2 * count,
        WAIT_SECONDS,
        "an incident of both classes of each school",
    )
    house.closing.push_async_callback(ended, asyncio.ensure_future(sweeping(agents)))
    async with asyncio.timeout(WAIT_SECONDS):
        while sum(one.repairs for one in await desk.times(everywhere, 7)) < count:  # noqa: ASYNC110 - a bounded look
            await asyncio.sleep(0.05)
    await until(
        lambda: len(house.services.topology.drift(everywhere)) >= count, WAIT_SECONDS, "drift"
    )
    await until(
        lambda: len(repairs.proposals(everywhere)) >= count, WAIT_SECONDS, "a proposal each"
    )
    token = house.sign_in("account:li", Role.OPERATOR, Role.APPROVER, Role.SECURITY_ADMIN)

    async def made(path: str, body: Mapping[str, object], field: str = "id") -> str:
        answer = await house.ask(
            "POST",
            b"/api/v1/" + path.encode(),
            token=token,
            body=json.dumps(body).encode(),
            headers={b"content-type": b"application/json", b"user-agent": HOSTILE.encode()},
        )
        assert answer.status in {200, 201}, (path, answer.body)
        return str(answer.json()[field]) if field else ""

    pools = house.pools
    incidents = {one.school: one.id for one in desk.views(everywhere) if one.name == "c301"}
    drifts = {
        str(one["school"]): str(one["id"]) for one in house.services.topology.drift(everywhere)
    }
    span = {"start": "2027-01-01T00:00:00Z", "end": "2027-01-02T00:00:00Z"}
    for district, school in map(split, schools):
        scope = f"binhai/{district}/{school}"
        grants = [{"role": "viewer", "scope": scope}]
        window = {"scope": scope, "reason": f"{school} {HOSTILE}", "asked_by": HOSTILE}
        action = {"school": school, "intent": "port.renegotiate", "reason": HOSTILE}
        await made("machines/tokens", {"machine": f"agent:{school}"}, "")
        one: dict[str, str] = {
            "school": school,
            "path": scope,
            "switch": "sw1",
            "link": "c301",
            "link_id": f"{school}/c301",
            "incident": incidents[school],
            "difference": drifts[school],
            "ticket": await made("tickets", {"incident": incidents[school]}),
            "window": await made("maintenance", {**window, "approved_by": "b", **span}),
            "duty": await made("duty", {"scope": scope, "role": "leader", "name": school}),
            "action": await made("actions", {**action, "retry": f"retry-{school}"}),
            "name": await made("users", {"name": f"li.{school}", "grants": grants}, "name"),
            "key": await made("keys", {"name": f"{school} {HOSTILE}", "grants": grants}),
        }
        await made(f"incidents/{one['incident']}/comment", {"text": f"{school} {HOSTILE}"}, "")
        await made("actions/stops", {"scope": scope, "reason": f"{school} {HOSTILE}"}, "")
        await asyncio.to_thread(_went, house, one, district)
        house.sign_in(f"account:li.{school}", Role.VIEWER)
        shown = await house.ask("GET", f"/api/v1/users/li.{school}/sessions".encode(), token=token)
        one["shown"] = str(shown.json()["items"][0]["id"])
        for name, value in one.items():
            pools.setdefault(name, []).append(value)
        pools["name"].append(f"agent:{school}")
    authority = await house.ask("GET", b"/api/v1/machines/authority", token=token)
    pools["authority_id"] = [one["id"] for one in authority.json()["authorities"]]
    pools["tag"], pools["district"] = ["en", "zh-CN"], sorted({split(one)[0] for one in schools})
    house.known |= {name: values[0] for name, values in pools.items()}


def _went(house: "Whole", one: Mapping[str, str], district: str) -> None:
    """The action of the school was begun, told of three steps and was proved."""
    now = house.services.clock.wall_ns()
    records = RepairRecords(house.running.records.engine)
    records.put(
        Attempt(
            action=one["action"],
            school=one["school"],
            district=district,
            intent=Intent.RESTORE_NEGOTIATION,
            switch="sw1",
            port="GE1",
            link=one["link_id"],
            cause=None,
            incident=one["incident"],
            automatic=False,
            day=datetime.fromtimestamp(now / NS, UTC).date(),
            begun_ns=now - 4 * NS,
            proved_ns=now,
            ended_ns=now,
            end=End.DONE,
        )
    )
    walk = (RepairStep.BEGUN, RepairStep.APPLIED, RepairStep.DONE)
    told = [
        Told(
            action=one["action"],
            step=step,
            at_ms=now // 1_000_000 + number,
            sentence=f"{one['school']} {HOSTILE}",
            transcript=f"<{one['school']}> {HOSTILE}",
            cable="",
        )
        for number, step in enumerate(walk)
    ]
    assert len(records.add_steps(one["school"], told)) == len(walk)
