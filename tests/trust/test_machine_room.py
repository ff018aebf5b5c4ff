"""The room of the machines: what the console did is told, lists are renewed, troubles said."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from controller.bus import Bus
from controller.house import House
from controller.store.protocols import NS, StoreError
from controller.store.records import SqlRecords
from controller.trust.authorities import Authorities
from controller.trust.ca import CaError
from controller.trust.machine_records import MachineRecords
from controller.trust.machine_room import MachineRoom, authorities_of, machine_room
from controller.trust.machine_standing import MOST_FINDING
from controller.trust.offline import OfflineError, answer
from controller.trust.registry import Machine
from tenone.config import load_city
from tenone.runtime.clock import ManualClock
from tenone.trust.enrolment import Token, make_csr, new_key
from tenone.trust.names import MachineKind
from tenone.vocabulary.scope import ScopePath
from tests.trust.city import FakeLedger, at_once, empty_records

SCHOOL = {
    "schema_version": 1,
    "school": {"id": "no3", "name": "No. 3", "district": "east", "city": "binhai"},
    "uplink": {"broker": {"host": "127.0.0.1"}},
}
CITY: dict[str, Any] = {
    "schema_version": 1,
    "city": {"id": "binhai", "name": "Binhai"},
    "districts": [{"id": "east", "name": "East"}],
    "schools": ["school.yaml"],
    "broker": {"host": "127.0.0.1"},
}


@dataclass
class Place:
    """A room, and the console beside it."""

    room: MachineRoom
    ledger: FakeLedger
    clock: ManualClock
    beside: Authorities
    records: MachineRecords

    @property
    def acts(self) -> list[str]:
        return [one.act for one in self.ledger.entries]


Make = Callable[..., Place]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    opened: list[SqlRecords] = []

    def made(**ca: object) -> Place:
        (tmp_path / "school.yaml").write_text(yaml.safe_dump(SCHOOL))
        body = {**CITY, "trust": {"ca": {"crl_file": "broker/crl.pem", **ca}}}
        (tmp_path / "city.yaml").write_text(yaml.safe_dump(body))
        if not (tmp_path / "records.db").exists():
            (tmp_path / "records.db").write_bytes(empty_records().read_bytes())
        config = load_city(tmp_path / "city.yaml")
        records = SqlRecords(config.records.url)
        records.start()
        opened.append(records)
        clock, ledger = ManualClock(), FakeLedger()
        house = SimpleNamespace(
            config=config,
            clock=clock,
            ledger=ledger,
            in_records=at_once,
            records=records,
            bus=Bus(),
        )
        room = MachineRoom(cast("House", house))
        return Place(room, ledger, clock, authorities_of(config), MachineRecords(records))

    yield made
    for one in opened:
        one.close()


async def test_what_the_console_does_is_taken_up_and_told(make: Make, tmp_path: Path) -> None:
    place = make()
    room, clock = place.room, place.clock
    room.approval_keys = lambda: "tenone-approval-keys 1\n"
    with pytest.raises(StoreError):
        _ = room.desk
    room.open()
    assert machine_room([room]) is room
    await room.look()
    assert not (tmp_path / "ca").exists(), "no authority is made before somebody needs one"
    assert "no authority" in room.health().sentence
    place.beside.open(clock.wall_ns() // 10**9)
    token = Token.new(place.beside.issuing.spki)
    _, scope = room.desk.scope_of("agent:no3")
    place.records.invite(
        "agent:no3", scope, token.digest, by="console:root", now_ns=clock.wall_ns(),
        expires_ns=clock.wall_ns() + 10**12, told=False,
    )  # fmt: skip
    await room.look()
    assert place.acts == ["machine.token", "authority.change"]
    papers = await room.desk.enrol(token=token.text, csr=make_csr(new_key(), "x"), client="a")
    assert papers.approval_keys == "tenone-approval-keys 1\n"
    revoked: list[Machine] = []
    room.registry.on_revoked(revoked.append)
    place.records.revoke("agent:no3", "stolen", clock.wall_ns())
    await room.look()
    await room.look()
    assert [one.why for one in revoked] == ["stolen"]
    assert place.acts[2:] == ["machine.enrol", "machine.revoke"]
    assert room.health().ready
    assert "1 revoked" in room.health().sentence
    before = (tmp_path / "broker" / "crl.pem").read_bytes()
    await room.look()
    assert (tmp_path / "broker" / "crl.pem").read_bytes() == before, "nothing new"
    clock.advance(13 * 3600)
    await room.look()
    assert (tmp_path / "broker" / "crl.pem").read_bytes() != before, "renewed long before its end"


async def test_an_authority_made_while_the_controller_was_down_is_told_once(make: Make) -> None:
    place = make()
    place.beside.open(place.clock.wall_ns() // 10**9)
    for _ in range(2):  # two starts
        place.room.open()
        await place.room.look()
    assert place.acts == ["authority.change"]
    place.beside.add(place.clock.wall_ns() // 10**9)
    await place.room.look()
    assert place.acts == ["authority.change"] * 2


async def test_a_list_that_could_not_be_written_is_written_at_the_next_look(
    make: Make, tmp_path: Path
) -> None:
    place = make()
    place.room.open()
    desk = place.room.desk
    token, _ = await desk.token("agent:no3", by="account:wang")
    await desk.enrol(token=token.text, csr=make_csr(new_key(), "x"), client="a")
    crl = tmp_path / "broker"
    (crl / "crl.pem").unlink()
    crl.rmdir()
    crl.write_text("a file where the folder was")
    with pytest.raises(CaError, match="list of revoked"):
        await desk.revoke("agent:no3", why="stolen", by="account:wang")
    assert place.room.registry.valid_until("agent:no3") is None, "revoked all the same"
    await place.room.look()
    assert "list of revoked" in place.room.health().sentence
    crl.unlink()
    await place.room.look()
    assert place.room.health().ready
    assert (crl / "crl.pem").exists()


async def test_nothing_is_taken_up_that_the_ledger_has_not(make: Make) -> None:
    place = make()
    place.room.open()
    place.beside.open(place.clock.wall_ns() // 10**9)
    place.ledger.broken = True
    await place.room.look()
    health = place.room.health()
    assert not health.ready
    assert "ledger" in health.sentence
    place.ledger.broken = False
    await place.room.look()
    assert place.room.health().ready


async def test_a_sealed_authority_without_its_word_issues_nothing_and_says_so(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CA_WORD", "correct horse")
    first = make(passphrase="env:CA_WORD")
    first.beside.open(first.clock.wall_ns() // 10**9)
    first.room.open()
    assert first.room.health().ready
    monkeypatch.delenv("CA_WORD")
    second = make()
    second.room.open()
    await second.room.look()
    assert not second.room.health().ready
    assert "passphrase is not set" in second.room.health().sentence
    with pytest.raises(CaError, match="passphrase is not set"):
        await second.room.desk.token("agent:no3", by="account:wang")
    with pytest.raises(CaError, match="CA_WORD"):
        make(passphrase="env:CA_WORD")


async def test_a_request_carried_by_hand(make: Make) -> None:
    place = make()
    place.room.open()
    token, _ = await place.room.desk.token("agent:no3", by="account:wang")
    place.beside.reload()
    body = f'{{"token": "{token.text}", "csr": {make_csr(new_key(), "x")!r}}}'.replace("'", '"')

    def ask(request: bytes) -> str:
        papers = answer(
            request,
            city="binhai",
            authorities=place.beside,
            records=place.records,
            scope_of=lambda name: place.room.desk.scope_of(str(name))[1],
            lifetimes=dict.fromkeys(MachineKind, 3600),
            crl_url=None,
            now_ns=place.clock.wall_ns(),
        )
        return papers.machine

    for wrong in (b"", b"[]", b"{}"):
        with pytest.raises(OfflineError, match="no request"):
            ask(wrong)
    assert ask(body.encode()) == "agent:no3"
    with pytest.raises(OfflineError, match="used"):
        ask(body.encode())
    await place.room.look()
    assert "machine.issue" in place.acts
    assert place.room.registry.valid_until("agent:no3") == place.clock.wall_ns() // 10**9 + 3600


async def test_machines_of_a_school_that_moved_are_kept_where_it_stands(make: Make) -> None:
    """By the district's keeper of today, not by that of the day it was invited."""
    place = make()
    gone = ScopePath.parse("binhai/west/gone")
    for name, scope in (("agent:no3", ScopePath.parse("binhai/west/no3")), ("agent:gone", gone)):
        place.records.invite(
            name, scope, name * 4, by="console:root", now_ns=1, expires_ns=2, told=True
        )
    place.room.open()
    registry = place.room.registry
    told: list[Machine] = []
    registry.on_changed(told.append)
    for name in ("agent:no3", "agent:gone"):
        stands = place.records.machine(name)
        assert stands is not None
        assert stands.scope.parts[1] == "west"
        registry.put(stands)
    assert not told, "they stand as before"
    stand = {one.name: str(one.scope) for one in registry.machines()}
    assert stand == {"agent:no3": "binhai/east/no3", "agent:gone": "binhai/west/gone"}


def test_what_a_gateway_says_is_a_sentence_and_no_book(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that was taken over may send what it likes; a keeper's page shows it."""
    place, said = make(), ["no route to host", "x" * 100_000, "", None]
    monkeypatch.setattr(
        "controller.trust.machine_room.rows_of", lambda one: [{"certificate_finding": one.said}]
    )
    heard = [
        SimpleNamespace(
            said=text, school=f"no{n}", received_ns=9 * NS, age_ns=4 * NS,
            block=SimpleNamespace(rows=1),
        )
        for n, text in enumerate(said)
    ]  # fmt: skip
    monkeypatch.setattr(place.room, "_inbox", SimpleNamespace(take_now=lambda: heard))
    place.room.hear()
    words = place.room.memory._words
    assert {school: len(word.text) for school, word in words.items()} == {
        "no0": 16, "no1": MOST_FINDING,
    }  # fmt: skip
    assert words["no0"].at == 5.0
