"""A flood of refusals is bounded in the ledger, lost to no count, and hinders nobody's sign-in."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.trust.book import Book
from controller.trust.entries import Entry, Outcome
from controller.trust.ledger import AuditLedger
from controller.trust.refusals import AN_ADDRESS, IN_ALL, MOST_ADDRESSES, SUM, Refusals
from controller.trust.verify import rows_of, verify
from tenone.runtime.clock import SystemClock
from tenone.runtime.supervisor import Supervisor

NS = 10**9


def refused(client: str, act: str = "session.refused") -> Entry:
    return Entry(act=act, actor="nobody", outcome=Outcome.REFUSED, detail={"client": client})


def test_few_are_entries_of_their_own() -> None:
    refusals = Refusals()
    assert all(refusals.admits(refused("10.0.0.1"), n * 6 * NS) for n in range(200))
    assert refusals.sum_up() is None


def test_one_address_and_all_of_them() -> None:
    refusals = Refusals()
    assert sum(refusals.admits(refused("10.0.0.1"), 0) for _ in range(1000)) == AN_ADDRESS
    others = sum(refusals.admits(refused(f"10.0.{n // 256}.{n % 256}"), 0) for n in range(5000))
    assert others == IN_ALL - AN_ADDRESS
    assert refusals.admits(refused("10.0.0.1", "approval.grant"), 0), "another door stands open"
    told = refusals.sum_up()
    assert told is not None
    assert (told.act, told.outcome) == (SUM, Outcome.REFUSED)
    assert told.detail["count"] == 6000 - IN_ALL
    assert told.detail["acts"] == f"session.refused={6000 - IN_ALL}"


def test_what_is_done_or_failed_is_never_counted_together() -> None:
    refusals = Refusals()
    for outcome in (Outcome.DONE, Outcome.FAILED):
        entry = Entry(act="session.open", actor="account:li", outcome=outcome)
        assert all(refusals.admits(entry, 0) for _ in range(1000))


def test_more_addresses_than_are_told_apart() -> None:
    refusals = Refusals()
    for number in range(MOST_ADDRESSES + 500):
        refusals.admits(refused(f"a{number}"), 0)
    told = refusals.sum_up()
    assert told is not None
    assert (told.detail["addresses"], told.detail["or_more"]) == (MOST_ADDRESSES, True)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30), st.booleans()), max_size=400))
def test_none_is_lost(some: list[tuple[int, int, bool]]) -> None:
    """Entries and counts together are what was refused, whenever it is summed up."""
    refusals, now_ns, entries, counted = Refusals(), 0, 0, 0
    for client, seconds, summing in some:
        now_ns += seconds * NS
        entries += refusals.admits(refused(str(client)), now_ns)
        if summing and (told := refusals.sum_up()) is not None:
            counted += int(str(told.detail["count"]))
    if (told := refusals.sum_up()) is not None:
        counted += int(str(told.detail["count"]))
    assert entries + counted == len(some)


@pytest.mark.parametrize("addresses", [1, 5000])
async def test_a_flood_and_people_who_sign_in(tmp_path: Path, addresses: int) -> None:
    folder, flood = tmp_path / "ledger", 20_000
    ledger = AuditLedger(Book(folder, city="city", boot="b"), SystemClock())
    await ledger.open()
    waits: list[float] = []
    async with Supervisor(SystemClock()) as tasks:
        tasks.start("ledger", ledger.run)
        for number in range(flood):
            await ledger.write(refused(f"10.9.{number % addresses}"))
            if number % 1000 == 0:
                began = time.perf_counter()
                await ledger.write(Entry(act="session.open", actor="account:li"))
                waits.append(time.perf_counter() - began)
        ledger.sum_up_now()
        async with asyncio.timeout(10):
            while ledger.figures.held:  # noqa: ASYNC110 - as an outsider sees it
                await asyncio.sleep(0.02)
    await ledger.close()
    assert verify(folder).bad is None
    bodies = [json.loads(row.body) for row in rows_of(folder)]
    single = sum(1 for one in bodies if one["act"] == "session.refused")
    summed = sum(one["detail"]["count"] for one in bodies if one["act"] == SUM)
    assert single + summed == flood
    assert sum(1 for one in bodies if one["act"] == "session.open") == flood // 1000
    assert single <= IN_ALL * 4
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(
        f"{flood} refused from {addresses}: {len(bodies)} entries, {size // 1000} kB, "
        f"sign-ins waited {max(waits) * 1000:.0f} ms at most"
    )
