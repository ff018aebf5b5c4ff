import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest

from controller.trust.anchors import Anchor, AnchorError, Anchoring, FileAnchor, HttpsAnchor
from controller.trust.chain import Head
from controller.trust.heads import HeadsError, heads_in, heads_of, line_of
from controller.trust.outward import Outward
from tenone.config.trust import Anchor as AnchorConfig
from tenone.runtime.clock import ManualClock, SystemClock
from tenone.runtime.supervisor import Supervisor

LEDGER = "a" * 32


def head(seq: int, ledger: str = LEDGER) -> Head:
    return Head(ledger, seq, bytes([seq]) * 32)


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not fact():  # noqa: ASYNC110 - as an outsider sees it
            await asyncio.sleep(0.01)


class Ledger:
    """What anchoring asks of one."""

    def __init__(self, seq: int) -> None:
        self.now = head(seq)

    def head(self) -> Head:
        return self.now

    async def held(self, seq: int) -> bytes | None:
        return bytes([seq]) * 32 if seq <= self.now.seq else None


def anchoring(ledger: Ledger, *anchors: Anchor, clock: ManualClock) -> Anchoring:
    return Anchoring(anchors, seconds=60, clock=clock, head=ledger.head, held=ledger.held)


class Fails:
    name = "fails"

    async def put(self, head: Head, at_ns: int) -> None:
        raise AnchorError(f"no room for {head.seq} at {at_ns}")

    async def seen(self) -> Sequence[Head]:
        return ()


async def test_every_minute_what_is_new(tmp_path: Path) -> None:
    file = tmp_path / "heads"
    ledger, clock = Ledger(3), ManualClock()
    made = anchoring(ledger, Fails(), FileAnchor(file, "binhai"), clock=clock)
    async with Supervisor(SystemClock()) as tasks:
        for name, work in made.tasks().items():
            tasks.start(name, work)
        await until(lambda: file.exists() and len(heads_in(file)) == 1)
        clock.advance(60)
        await asyncio.sleep(0.05)
        assert heads_in(file) == [head(3)]  # nothing is new
        ledger.now = head(5)
        clock.advance(60)
        await until(lambda: heads_in(file) == [head(3), head(5)])
        assert "no room for 5" in made.health().sentence
        assert made.health().ready
    assert json.loads(file.read_text().splitlines()[0])["city"] == "binhai"


@pytest.mark.parametrize(
    ("seen", "conflict"),
    [
        ([head(3)], False),
        ([], False),
        ([head(9)], True),  # the ledger was cut off
        ([Head(LEDGER, 3, bytes(32))], True),  # it was rewritten
        ([head(3, "b" * 32)], True),  # it was begun anew
    ],
)
async def test_the_start_is_compared(tmp_path: Path, seen: list[Head], conflict: bool) -> None:
    file = tmp_path / "heads"
    file.write_text("".join(line_of(one, 1, "binhai") + "\n" for one in seen))
    before = file.read_text()
    made = anchoring(Ledger(5), FileAnchor(file, "binhai"), clock=ManualClock())
    async with Supervisor(SystemClock()) as tasks:
        for name, work in made.tasks().items():
            tasks.start(name, work)
        await until(lambda: made.figures[0].seq == 5 or bool(made.figures[0].conflict))
    assert made.health().ready is not conflict
    assert (file.read_text() == before) is conflict


async def test_half_a_line_of_a_power_cut(tmp_path: Path) -> None:
    file = tmp_path / "heads"
    anchor = FileAnchor(file, "binhai")
    await anchor.put(head(1), 1)
    with file.open("a") as stream:
        stream.write('{"ledger":"aaaa')
    await anchor.put(head(2), 2)
    with pytest.raises(HeadsError, match="line 2"):
        heads_in(file)
    assert heads_of(file.read_text().splitlines()[2:], "x") == [head(2)]


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AnchorError, match="cannot be appended to"):
        await FileAnchor(tmp_path / "no" / "heads", "binhai").put(head(1), 1)


@pytest.mark.parametrize(
    ("status", "says"), [(201, ""), (403, "answered 403"), (302, "answered 302")]
)
async def test_https(monkeypatch: pytest.MonkeyPatch, status: int, says: str) -> None:
    monkeypatch.setenv("TOKEN", "word")
    taken: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        taken.append(request)
        return httpx.Response(status, headers={"location": "https://192.0.2.1/"})

    config = AnchorConfig.model_validate({"url": "https://8.8.8.8/heads", "token": "env:TOKEN"})
    outward = Outward()
    anchor = HttpsAnchor(config, "binhai", outward)
    anchor._client = outward.client(inner=httpx.MockTransport(answer))  # no server
    if says:
        with pytest.raises(AnchorError, match=says):
            await anchor.put(head(7), 99)
    else:
        await anchor.put(head(7), 99)
    (request,) = taken  # a redirect is not followed
    assert heads_of([request.content.decode()], "x") == [head(7)]
    assert request.headers["authorization"] == "Bearer word"


async def test_https_to_what_only_the_controller_reaches() -> None:
    config = AnchorConfig.model_validate({"url": "https://127.0.0.1/heads"})
    with pytest.raises(AnchorError, match="not on the public internet"):
        await HttpsAnchor(config, "binhai", Outward()).put(head(1), 1)


@pytest.mark.parametrize(
    "line",
    ["x", "[]", "{}", '{"ledger":1,"seq":1,"hash":""}', '{"ledger":"a","seq":"1","hash":""}',
     '{"ledger":"a","seq":1,"hash":"zz"}', "[" * 100_000],
)  # fmt: skip
def test_lines_that_are_no_head(line: str) -> None:
    with pytest.raises(HeadsError, match="x, line 2"):
        heads_of(["", line], "x")
