"""Three schools as witnesses: a ledger that its own chain calls whole is found out by each.

Real processes and a real broker. The harm is done while the controller does not run, by somebody
who may write all its files: what the city itself kept of its witnesses is removed as well.
"""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from controller.trust.book import Book
from controller.trust.chain import Told
from controller.trust.heads import heads_in
from controller.trust.verify import rows_of, verify
from tenone.config import load_school
from tenone.runtime.clock import SystemClock
from tests.integration.town import Town
from tests.trust.witnessed import ENTRY, cut_off, put_back, rewritten

DEADLINE_SECONDS = 60.0
REFUSED = "ledger-heads.refused"
TENONE = (sys.executable, "-m", "tenone.cli")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        shutil.which("mosquitto") is None, reason="mosquitto is not installed: no real broker"
    ),
]


class Witnesses(Town):
    """A town whose schools have their turn every second."""

    def _configure(self, port: int) -> None:
        super()._configure(port)
        file = self.folder / "city.yaml"
        city = yaml.safe_load(file.read_text())
        city["trust"] = {"witness_seconds": 1}
        file.write_text(yaml.safe_dump(city))
        self.city = str(file)
        self.http = city["http"]["port"]
        self.store = Path(city["store"]["path"])
        self.ledger = self.store / "ledger"
        self.said = self.store / "ledger-witnesses.jsonl"

    def add(self, count: int) -> int:
        """Entries of somebody's work; the newest number."""
        book, clock = Book(self.ledger, city="town", boot="b"), SystemClock()
        head = book.append([Told(ENTRY, clock.wall_ns(), clock.monotonic_ns())] * count)
        book.close()
        return head.seq

    def kept(self) -> dict[str, int]:
        """The newest number that each school keeps, by what lies in its own outbox."""
        found = {}
        for name in self.agents:
            file = self.outbox(name) / "ledger-heads"
            lines = file.read_text().splitlines() if file.exists() else []
            found[name] = json.loads(lines[-1])["seq"] if lines else 0
        return found

    def outbox(self, school: str) -> Path:
        """Where a school keeps what it keeps."""
        return load_school(self.folder / "schools" / f"{school}.yaml").outbox.path

    def word(self) -> tuple[bool, str]:
        """What /readyz says of the witnesses."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/readyz") as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            body = error.read()
        text = json.loads(body)
        parts = text.get("parts") or text.get("checks") or text
        one = next(each for each in parts if each["name"] == "witnesses")
        return one["ready"], one["sentence"]

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """A command of the shell."""
        return subprocess.run([*TENONE, *argv], capture_output=True, text=True, check=False)

    async def until(self, fact: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not await asyncio.to_thread(fact):  # noqa: ASYNC110 - as an outsider sees it
                await asyncio.sleep(0.2)


async def found_out(town: Witnesses, bad: int, harm: Callable[[], None]) -> None:
    """Harm a ledger that does not run; start, and see who finds it, and where it says it is."""
    harm()
    town.said.unlink(missing_ok=True)
    assert verify(town.ledger).bad is None, "the chain by itself says that it is whole"
    await town.controller.start()
    await town.until(lambda: "3 of 3 schools (" in town.word()[1])
    await town.until(lambda: town.said.exists() and town.said.read_text().count("\n") >= 3)
    ready, word = town.word()
    assert not ready
    numbers = re.search(r"entries (\d+) to (\d+) is the first|entry (\d+) is not", word)
    assert numbers is not None, word
    assert int(numbers[1] or numbers[3]) <= bad <= int(numbers[2] or numbers[3])
    if "entries were seen" in word:  # it ends below what they keep: each refuses it by itself
        await town.until(lambda: all((town.outbox(n) / REFUSED).exists() for n in town.agents))
    acts = [json.loads(row.body)["act"] for row in rows_of(town.ledger)]
    assert acts.count("witness.conflict") == 3
    said = await asyncio.to_thread(town.run, "audit", "verify", "-c", town.city, "--witnesses")
    assert said.returncode == 1, said
    print(f"  bad from {bad}: {word}\n    {said.stdout.splitlines()[0]}")
    for name in town.agents:
        heads = heads_in(town.outbox(name) / "ledger-heads")
        assert verify(town.ledger, heads).bad is not None, "each school by itself finds it"


async def test_three_harms_found_by_three_schools(tmp_path: Path) -> None:
    town = Witnesses(folder=tmp_path / "town", data=tmp_path / "data", schools=3, switches_each=1)
    try:
        await town.start()
        heads = []
        for _ in range(3):  # heads at several numbers, so that the span is narrow
            heads.append(await asyncio.to_thread(town.add, 10))
            await town.until(lambda: min(town.kept().values()) >= heads[-1])
        backup, before = town.folder / "backup", town.folder / "before"
        shutil.copytree(town.ledger, backup)
        heads.append(await asyncio.to_thread(town.add, 10))
        await town.until(lambda: min(town.kept().values()) >= heads[-1])
        await town.controller.stop()
        shutil.copytree(town.ledger, before)
        harms: list[tuple[int, Callable[[], None]]] = [
            (heads[1] + 4, lambda: cut_off(town.ledger, heads[1] + 4)),
            (heads[0] + 4, lambda: rewritten(town.ledger, heads[0] + 4)),
            (verify(backup).rows + 1, lambda: put_back(town.ledger, backup)),
        ]
        for bad, harm in harms:
            put_back(town.ledger, before)
            await found_out(town, bad, harm)
            if harm is not harms[-1][1]:
                await town.controller.stop()
        print("found 3 of 3 harms, each by 3 of 3 schools; the chain alone called each whole")
        await admitted(town)
    finally:
        await town.stop()


async def admitted(town: Witnesses) -> None:
    """The disk died, yesterday's backup is all there is: people say so, and go on."""
    before = town.kept()
    reason = "disk died; backup of yesterday"
    said = await asyncio.to_thread(town.run, "audit", "admit", "-c", town.city, "--reason", reason)
    assert said.returncode == 0, said
    await town.until(lambda: town.word()[0] and "disk died" in town.word()[1])
    await town.until(lambda: all(seq < before[name] for name, seq in town.kept().items()))
    whole = await asyncio.to_thread(town.run, "audit", "verify", "-c", town.city, "--witnesses")
    assert whole.returncode == 0, whole
    assert "admits" in whole.stdout
    school = str(town.folder / "schools" / "s1.yaml")
    heads = await asyncio.to_thread(town.run, "agent", "heads", "-c", school)
    assert "disk died" in heads.stdout
    assert heads.returncode == 0, heads
    print(f"  admitted: {town.word()[1]}")
