"""A report is recomputed from its bundle alone; whatever is changed anywhere is found and named."""

import random
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.evidence import bundle
from controller.evidence.desk import Asked, Desk, Made, ReportError
from controller.evidence.report import Json
from controller.evidence.verify import first_difference, verify
from controller.store.protocols import NS
from tenone.blocks.block import Block, BlockError, Draft
from tenone.blocks.seal import CHECKPOINT_LAYOUT, Seal, key_id
from tests.evidence.world import DAY, MORNING_NS, World, random_morning

END_NS = MORNING_NS + 2700 * NS
ASKED = Asked(first=DAY, last=DAY, school="no1")
MADE = Made(by="test", at_ns=END_NS, version="1")


def desk(world: World, *, oldest_day: str | None = "2026-01-01") -> Desk:
    return Desk(
        city="binhai",
        schools={"no1": world.school},
        rollups=world.rollups,
        seals=world.seals,
        blocks=world.store,
        names={},
        oldest_day=oldest_day,
    )


def told(world: World, seed: int = 1) -> None:
    world.commit(random_morning(world, seed))
    world.settle(END_NS + NS)


@pytest.fixture
def bundled(world: World) -> tuple[Json, bytes]:
    told(world)
    report = desk(world).sla(ASKED, MADE)
    return report, desk(world).evidence(ASKED, report)


def test_a_report_is_recomputed_to_the_last_digit(bundled: tuple[Json, bytes]) -> None:
    report, data = bundled
    verdict = verify(data)
    assert verdict.faults == []
    assert verdict.equal
    assert verdict.report == bundle.unpack_json(bundle.pack_json(report))
    assert verdict.blocks > 250
    assert verdict.checkpoints > 30
    assert verdict.sealed > verdict.blocks * 0.95, "all but what came after the last checkpoint"
    assert verdict.days_raw == 1


def test_what_a_report_says(bundled: tuple[Json, bytes]) -> None:
    report, _ = bundled
    (line,) = [one for one in report["links"] if one["link"] == "no1/c301"]
    assert line["certified"] is False
    assert line["refusal"] == "coverage"
    assert line["coverage_ratio"] < 0.98
    assert line["availability_worst_ratio"] < line["availability_ratio"]
    assert sum(one["tenths"] for one in line["bad_time"].values()) == 1000
    minutes = line["class_minutes"]
    assert minutes["good"] + minutes["bad"] + minutes["unknown"] == 25
    assert sum(one["amount"] for one in minutes["causes"].values()) == minutes["bad"]
    city = next(group for group in report["groups"] if group["kind"] == "city")
    assert city["links"] == 2
    assert city["good_ns"] == sum(one["good_ns"] for one in report["links"])
    assert report["checkpoints"][0]["count"] > 30


def test_one_link_alone(world: World) -> None:
    told(world)
    asked = replace(ASKED, link="no1/up")
    report = desk(world).sla(asked, MADE)
    assert [one["link"] for one in report["links"]] == ["no1/up"]
    verdict = verify(desk(world).evidence(asked, report))
    assert verdict.faults == []


@cache
def _places(size: int, count: int) -> tuple[int, ...]:
    chance = random.Random(size)
    return tuple(chance.randrange(size) for _ in range(count))


@pytest.mark.parametrize("count", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_one_flipped_bit_anywhere_is_found(bundled: tuple[Json, bytes], count: int) -> None:
    _, data = bundled
    sections, _ = bundle.read(data)
    regions = [
        place
        for section in sections
        for place in (section.at, section.at + 5, section.at + 20, section.at + 45)
    ]
    for place in (
        *range(12),
        *regions,
        *_places(len(data), count),
        *range(len(data) - 40, len(data)),
    ):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        verdict = verify(bytes(flipped))
        assert not verdict.equal, f"bit at byte {place}"
        assert verdict.faults
    for cut in (0, 1, 7, 8, 100, len(data) // 2, len(data) - 1):
        assert not verify(data[:cut]).equal
    assert not verify(data + b"\0").equal


def rewritten(data: bytes, kind: str, change: Any) -> bytes:
    """The bundle with every hash of the container made anew over changed contents."""
    sections, faults = bundle.read(data)
    assert not faults
    return bundle.write(
        (one.kind, change(one.body) if one.kind == kind else one.body) for one in sections
    )


def test_a_changed_block_is_named_though_the_container_fits(bundled: tuple[Json, bytes]) -> None:
    _, data = bundled
    names: list[int] = []

    def change(body: bytes) -> bytes:
        items = list(bundle.unpack_list(body))
        if not names:
            victim = Block.parse(items[50])
            names.append(victim.seq)
            forged = bytearray(items[50])
            forged[-1] ^= 1
            items[50] = bytes(forged)
        return bundle.pack_list(items)

    verdict = verify(rewritten(data, "BLKS", change))
    assert not verdict.equal
    assert f"block {names[0] + 1} of class P1" in verdict.faults[0], "the first that does not fit"
    assert any("not those that were sealed" in fault for fault in verdict.faults)


def test_a_left_out_block_is_noticed(bundled: tuple[Json, bytes]) -> None:
    _, data = bundled

    def change(body: bytes) -> bytes:
        items = list(bundle.unpack_list(body))
        return bundle.pack_list(items[:20] + items[21:])

    verdict = verify(rewritten(data, "BLKS", change))
    assert not verdict.equal
    assert any("neither whole nor by hash" in note for note in verdict.notes)


def test_a_changed_number_is_named(bundled: tuple[Json, bytes]) -> None:
    _, data = bundled

    def change(body: bytes) -> bytes:
        report = bundle.unpack_json(body)
        report["links"][0]["down_ns"] -= 1
        return bundle.pack_json(report)

    (fault,) = verify(rewritten(data, "REPT", change)).faults
    assert "links[0].down_ns" in fault


def test_a_checkpoint_by_another_key_proves_nothing(bundled: tuple[Json, bytes]) -> None:
    _, data = bundled

    def change(body: bytes) -> bytes:
        keys = bundle.unpack_json(body)
        return bundle.pack_json(dict.fromkeys(keys, "00" * 32))

    verdict = verify(rewritten(data, "KEYS", change))
    assert "not the journal's" in verdict.faults[0]
    assert verdict.sealed == 0


def test_after_raw_data_aged_out(world: World) -> None:
    told(world)
    later = desk(world, oldest_day=(DAY + timedelta(days=3)).isoformat())
    report = later.sla(ASKED, MADE)
    assert report == desk(world).sla(ASKED, MADE)
    verdict = verify(later.evidence(ASKED, report))
    assert verdict.faults == []
    assert (verdict.days_raw, verdict.days_kept) == (0, 1)
    assert any("the controller's word" in note for note in verdict.notes)


def test_what_cannot_be_reported_is_said(world: World) -> None:
    with pytest.raises(ReportError, match="has been judged"):
        desk(world).sla(ASKED, MADE)
    with pytest.raises(ReportError, match="check the id"):
        desk(world).sla(replace(ASKED, school="no9"), MADE)
    with pytest.raises(ReportError, match="of one school"):
        desk(world).evidence(replace(ASKED, school=None), {})


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "a[1].b"),
        ({"a": 1}, {}, "a"),
        ({"a": 1}, {"a": 1.0}, "a"),
        ({"a": [1]}, {"a": [1, 2]}, "a"),
    ],
)
def test_differences_are_named_by_their_place(one: Json, other: Json, where: str) -> None:
    assert f"for {where}," in first_difference(one, other)
    assert first_difference(one, one) == ""


def test_any_bytes_are_taken(tmp_path: Path) -> None:
    for junk in (b"", b"T1EVID1\n", bundle.MAGIC + bytes(500), bundle.write([("WHAT", b"x")])):
        assert not verify(junk).equal
    with pytest.raises(BlockError):
        Block.parse(b"")


def test_a_forger_with_a_key_of_his_own_is_found_by_whoever_knows_the_real_one(
    bundled: tuple[Json, bytes],
) -> None:
    _, data = bundled
    sections, _ = bundle.read(data)
    (keys,) = (bundle.unpack_json(one.body) for one in sections if one.kind == "KEYS")
    real = key_id(bytes.fromhex(next(iter(keys.values()))))
    assert verify(data, {real}).equal
    forger = Ed25519PrivateKey.generate()
    public = forger.public_key().public_bytes_raw()
    forged = rewritten(data, "KEYS", lambda _: bundle.pack_json(dict.fromkeys(keys, public.hex())))

    def sign_again(body: bytes) -> bytes:
        made = []
        for each in bundle.unpack_list(body):
            block = Block.parse(each)
            told = Seal.of(block).check()
            seal = Seal.sign(replace(told, key_id=key_id(public)), forger)
            draft = Draft.of(CHECKPOINT_LAYOUT, block.stamp, seal.columns, block.priority)
            made.append(draft.seal(block.journal_id, block.seq, block.previous).data)
        return bundle.pack_list(made)

    forged = rewritten(forged, "SEAL", sign_again)
    blind = verify(forged)
    assert any(key_id(public) in note and "compare" in note for note in blind.notes)
    knowing = verify(forged, {real})
    assert not knowing.equal
    assert key_id(public) in " ".join(knowing.faults)
    unsigned = rewritten(data, "KEYS", lambda _: bundle.pack_json({}))
    unsigned = rewritten(unsigned, "SEAL", lambda _: b"")
    assert verify(unsigned).equal
    assert "no key has signed" in " ".join(verify(unsigned, {real}).faults)


def test_a_day_that_was_left_out_is_named(bundled: tuple[Json, bytes]) -> None:
    _, data = bundled

    def earlier(body: bytes) -> bytes:
        report = bundle.unpack_json(body)
        report["about"]["first"] = (DAY - timedelta(days=2)).isoformat()
        return bundle.pack_json(report)

    notes = verify(rewritten(data, "REPT", earlier)).notes
    assert any("2 of the 3 days" in note for note in notes)
    assert not any("are not in the report" in note for note in verify(data).notes)
