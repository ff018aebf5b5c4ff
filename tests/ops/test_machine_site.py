"""The pages of machines without a browser: found, invited, revoked, by whom, and what is said."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from controller.api.services import Services
from controller.trust.machine_standing import Cut, CutState
from tenone.runtime.clock import ManualClock
from tenone.trust.enrolment import Token, make_csr, new_key
from tenone.vocabulary.roles import PERMISSIONS, Permission, Role
from tests.api.conftest import client_of, opened
from tests.api.fake_city import EVIL
from tests.ops.html import Node, look, parse
from tests.ops.keeping import DAY, Kept

TOKEN = re.compile(r"t1\.[\w.-]+")


@pytest.fixture
def kept(services: Services, clock: ManualClock, tmp_path: Path) -> Iterator[Kept]:
    made = Kept(services, tmp_path, clock)
    made.whole_city()
    yield made
    made.close()


def keeper(app: FastAPI, kept: Kept, *scopes: str) -> httpx.AsyncClient:
    return client_of(app, kept.open("wang", Role.SECURITY_ADMIN, *scopes))


async def send(
    client: httpx.AsyncClient, path: str, language: str = "en", **form: str
) -> httpx.Response:
    headers = {"Accept": "text/html", "Accept-Language": language}
    return await client.post(path, data=form, headers=headers)


def rows(page: Node) -> dict[str, str]:
    return {
        row.attributes["data-machine"]: row.attributes["data-state"]
        for row in page.all("li")
        if "data-machine" in row.attributes
    }


async def test_every_state_what_asks_for_somebody_first(app: FastAPI, kept: Kept) -> None:
    async with keeper(app, kept) as client:
        page = await look(client, "/machines")
    assert list(rows(page).items()) == [
        ("agent:no12", "expired"),
        ("agent:no3", "late"),
        ("agent:no7", "invited"),
        ("agent:no8", "absent"),
        ("agent:no6", "absent"),
        ("agent:evil", "active"),
        ("agent:no1", "active"),
        ("device:no1/board/b-1-1", "active"),
        ("agent:no5", "revoked"),
    ]
    assert page.one("h1").text == "Machines with an expired certificate: 1"
    assert "203.0.113.7" in page.text
    first = next(row for row in page.all("li") if row.attributes.get("data-state") == "late")
    assert "第三小学" in first.text
    assert "东城区" in first.text
    assert "in 1 d" in first.text
    assert EVIL in page.text  # as text: the parser found no element in it


QUERIES: dict[str, set[str] | None] = {
    "state=expired": {"agent:no12"},
    "state=odd": None,
    "q=第三": {"agent:no3"},
    "q=NO3": {"agent:no3"},
    "q=第七中学": {"agent:no7"},
    "q=seventh": {"agent:no7"},
    "q=西海": {"agent:no5", "agent:no6"},
    "q=zzz": set(),
    "district=west&state=revoked": {"agent:no5"},
    "page=99": None,
    "page=0": None,
    "page=%C2%B2": None,
}


async def test_search_and_filters(app: FastAPI, kept: Kept) -> None:
    async with keeper(app, kept) as client:
        everything = set(rows(await look(client, "/machines")))
        for query, found in QUERIES.items():
            page = await look(client, f"/machines?{query}")
            assert set(rows(page)) == (everything if found is None else found), query


async def test_a_district_s_keeper_sees_the_district_alone(app: FastAPI, kept: Kept) -> None:
    async with keeper(app, kept, "binhai/west") as client:
        page = await look(client, "/machines")
        assert set(rows(page)) == {"agent:no5", "agent:no6"}
        assert "203.0.113.7" not in page.text, "whose token it was nobody knows: the city's keeper"
        assert "10.20.0.12" not in page.text
        for name in ("agent:no1", "agent:nowhere", "device:no1/board/b-1-1", "odd", "server:x"):
            await look(client, f"/machines/{name}", status=404)
            assert (await send(client, f"/machines/{name}", what="revoke")).status_code == 404


async def test_a_token_is_for_where_the_school_stands_today(app: FastAPI, kept: Kept) -> None:
    """What was enrolled stood in the west; the desk knows that the school is the east's."""
    kept.machine("agent:no3", "binhai/west/no3")
    async with keeper(app, kept, "binhai/west") as client:
        refused = await send(client, "/machines/agent:no3", what="invite")
    assert refused.status_code == 403
    assert not TOKEN.search(refused.text)
    assert not kept.machines.ledger.entries


async def test_only_who_keeps_machines(app: FastAPI, services: Services, kept: Kept) -> None:
    for role in Role:
        may = Permission.KEEP_MACHINES in PERMISSIONS[role]
        async with client_of(app, opened(services, role, actor="account:x")) as client:
            listed = await client.get("/machines", headers={"Accept": "text/html"})
            one = await client.get("/machines/agent:no1", headers={"Accept": "text/html"})
            invited = await send(client, "/machines/agent:no6", what="invite")
            revoked = await send(client, "/machines/agent:no1", what="revoke", why="x")
        codes = [one.status_code for one in (listed, one, invited, revoked)]
        assert codes == ([200, 200, 200, 409] if may else [403, 403, 403, 403]), role
        assert parse(listed.text).one("h1").text, "a sentence, not a blank page"
    told = [one.act for one in kept.machines.ledger.entries]
    assert told == ["authority.create", "machine.token"], "of the one role that may"


async def test_invited_once_with_the_two_commands(app: FastAPI, kept: Kept) -> None:
    async with keeper(app, kept) as client:
        before = await look(client, "/machines/agent:no6")
        assert "never invited" in before.one("main").text
        answer = await send(client, "/machines/agent:no6", what="invite")
        page = parse(answer.text)
        first, second = [node.text for node in page.all("pre")]
        token = TOKEN.findall(first)[0]
        assert first == f"tenone enrol --token {token} -c school.yaml"
        assert second == "tenone agent -c school.yaml"
        assert "in 24 h" in page.text
        again = await send(client, "/machines/agent:no6", what="invite")
        newer = TOKEN.findall(parse(again.text).all("pre")[0].text)[0]
        plain = await look(client, "/machines/agent:no6")
        assert not TOKEN.search(plain.text), "it is shown once"
    desk, csr = kept.machines.desk, make_csr(new_key(), "x")
    with pytest.raises(Exception, match="replaced"):
        await desk.enrol(token=Token.parse(token).text, csr=csr, client="c")
    papers = await desk.enrol(token=newer, csr=csr, client="c")
    assert papers.machine == "agent:no6"
    told = [(one.act, one.actor) for one in kept.machines.ledger.entries][:3]
    assert told[1:] == [("machine.token", "account:wang")] * 2


async def revoke(
    client: httpx.AsyncClient, name: str, why: str, stands: str | None = None, language: str = "en"
) -> httpx.Response:
    page = await look(client, f"/machines/{name}")
    shown = page.one("input", name="stands").attributes["value"]
    return await send(
        client, f"/machines/{name}", language, what="revoke", why=why,
        stands=shown if stands is None else stands,
    )  # fmt: skip


async def test_revoked_with_a_reason_and_what_is_known_of_the_session(
    app: FastAPI, kept: Kept, clock: ManualClock
) -> None:
    await kept.machines.enrol("agent:no8")
    async with keeper(app, kept) as client:
        for why, said in (("", "Write why"), ("a\nb", "one line"), ("x" * 401, "one line")):
            refused = await revoke(client, "agent:no8", why)
            assert (refused.status_code, said in refused.text) == (400, True), why
        chinese = await revoke(client, "agent:no8", "", language="zh-CN")
        assert "请填写原因" in chinese.text
        assert kept.machines.registry.find("agent:no8").revoked_ns is None  # type: ignore[union-attr]  # it is there
        gone = await revoke(client, "agent:no8", "stolen at night")
        assert (gone.status_code, gone.headers["location"]) == (303, "/machines/agent:no8")
        page = await look(client, "/machines/agent:no8")
        assert "is not known here" in page.text
        assert "stolen at night" in page.text
        kept.watching.cuts["agent:no8"] = Cut(state=CutState.WAITING, why="not connected yet")
        page = await look(client, "/machines/agent:no8")
        assert "not known to be cut" in page.text
        assert "not connected yet" in page.text
        assert page.all("section", data_part=""), "it is looked at again by itself"
        kept.watching.cuts["agent:no8"] = Cut(state=CutState.CUT, at=kept.now)
        page = await look(client, "/machines/agent:no8")
        assert "was cut at" in page.text
        assert not page.all("section", data_part="")
        clock.advance(60)
        again = await send(client, "/machines/agent:no8", what="revoke", why="twice")
        assert again.status_code == 303, "pressed twice: nothing is done again"
    told = [one for one in kept.machines.ledger.entries if one.act == "machine.revoke"]
    assert [(one.actor, one.detail["why"]) for one in told] == [("account:wang", "stolen at night")]


async def test_a_form_of_before_a_new_enrolment_revokes_nobody(
    app: FastAPI, kept: Kept, clock: ManualClock
) -> None:
    await kept.machines.enrol("agent:no8")
    async with keeper(app, kept) as client:
        page = await look(client, "/machines/agent:no8")
        stands = page.one("input", name="stands").attributes["value"]
    clock.advance(5 * DAY)
    await kept.machines.enrol("agent:no8")
    async with keeper(app, kept) as client:
        late = await revoke(client, "agent:no8", "stolen", stands)
        assert (late.status_code, "enrolled anew" in late.text) == (409, True)
        assert "stolen" in parse(late.text).one("textarea").text, "what was typed stays"
    assert kept.machines.registry.find("agent:no8").revoked_ns is None  # type: ignore[union-attr]  # it is there


async def test_without_the_ledger_nothing_is_done(app: FastAPI, kept: Kept) -> None:
    await kept.machines.enrol("agent:no8")
    kept.machines.ledger.broken = True
    async with keeper(app, kept) as client:
        answers = [
            await revoke(client, "agent:no8", "stolen"),
            await send(client, "/machines/agent:no8", what="invite"),
        ]
    assert [one.status_code for one in answers] == [503, 503]
    assert all(one.headers["content-type"].startswith("text/html") for one in answers)
    assert kept.machines.registry.find("agent:no8").revoked_ns is None  # type: ignore[union-attr]  # it is there


async def test_another_site_s_form_is_refused(app: FastAPI, kept: Kept) -> None:
    async with keeper(app, kept) as client:
        answer = await client.post(
            "/machines/agent:no1",
            data={"what": "revoke", "why": "x"},
            headers={"Origin": "https://elsewhere.example"},
        )
    assert answer.status_code == 403
    assert kept.machines.ledger.entries == []


async def test_why_it_was_not_renewed(app: FastAPI, kept: Kept) -> None:
    async with keeper(app, kept) as client:
        page = await look(client, "/machines/agent:no3")
        assert "no route to host" in page.text
        kept.machine("agent:no6", "binhai/west/no6", left=DAY)
        page = await look(client, "/machines/agent:no6")
        assert "No request for renewal has come" in page.text


async def test_a_list_that_runs_out_and_a_new_root_are_said(
    app: FastAPI, kept: Kept, clock: ManualClock
) -> None:
    await kept.machines.desk.open(make=True)
    clock.advance(3)
    async with keeper(app, kept) as client:
        page = await look(client, "/machines")
        assert "refuses everybody" not in page.text
        number = kept.machines.desk.standing().crl
        assert number is not None
        assert str(number.number) in page.text
    kept.machines.authorities.add(kept.machines.now)
    clock.advance(4.5 * DAY)
    async with keeper(app, kept) as client:
        page = await look(client, "/machines", language="zh-CN")
        assert "拒绝所有连接" in page.text
        assert "尚未获知它的设备" in page.text


async def test_a_city_of_2700_schools_is_paged(app: FastAPI, kept: Kept) -> None:
    for number in range(2700):
        kept.machine(f"device:no1/board/x-{number}", "binhai/east/no1")
    async with keeper(app, kept) as client:
        answer = await client.get("/machines?page=3", headers={"Accept-Language": "en"})
        page = parse(answer.text)
        assert len(rows(page)) == 50
        assert len(answer.content) < 100_000
        assert "Page 3 of 55" in page.text
        found = await look(client, "/machines?q=x-1234")
        assert list(rows(found)) == ["device:no1/board/x-1234"]


async def test_a_controller_without_machines(app: FastAPI, services: Services) -> None:
    async with client_of(app, opened(services, Role.SECURITY_ADMIN)) as client:
        page = await look(client, "/machines")
        assert page.one("h1").text == "No machine is enrolled yet"
        assert set(rows(page).values()) == {"absent"}
        answer = await send(client, "/machines/agent:no1", what="invite")
        assert answer.status_code == 404
