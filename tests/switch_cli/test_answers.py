"""Recorded answers of real devices: rows equal to the expected ones, command by command."""

import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from drivers.cli.answers import PLATFORMS, NoTemplateError, platform_of, rows
from drivers.cli.child_consoles import ChildConsoles
from drivers.cli.dialects.registry import dialect
from drivers.cli.errors import UnreadableError
from tenone.vocabulary.intents import Dialect

CAPTURES = Path(os.environ.get("TENONE_CAPTURES", "../shared/data")) / "cli"
needs_captures = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason=f"no recorded answers in {CAPTURES} (TENONE_CAPTURES)"
)


def recorded(platform: str) -> list[Path]:
    found = CAPTURES.glob(f"{platform}/*/*.raw")
    return sorted(path for path in found if path.with_suffix(".yml").exists())


@needs_captures
@pytest.mark.parametrize(
    ("platforms", "least"),
    [("zte_zxros", 4), pytest.param("*", 288, marks=pytest.mark.slow)],
)
def test_recorded_answers(platforms: str, least: int, capsys: pytest.CaptureFixture[str]) -> None:
    answers = recorded(platforms)
    equal: Counter[tuple[str, str]] = Counter()
    expected: Counter[tuple[str, str]] = Counter()
    differing = []
    for raw in answers:
        key = (raw.parent.parent.name, raw.parent.name)
        wanted = yaml.safe_load(raw.with_suffix(".yml").read_text())["parsed_sample"] or []
        found = rows(key[0], key[1].replace("_", " "), raw.read_text())
        expected[key] += len(wanted)
        equal[key] += sum(a == b for a, b in zip(found, wanted, strict=False))
        if found != wanted:
            differing.append(f"{raw.name}: {len(found)} rows, {len(wanted)} expected")
    with capsys.disabled():
        print(f"\n{'platform':24} {'command':60} equal / expected")
        for (platform, command), count in sorted(expected.items()):
            print(f"{platform:24} {command:60} {equal[platform, command]:5} / {count}")
        print(f"{'all':85} {equal.total():5} / {expected.total()} in {len(answers)} answers")
    assert len(answers) >= least
    assert not differing


@needs_captures
def test_a_cut_answer_of_a_cable_test_is_read_by_nobody() -> None:
    """The dialect's own reader and the template, on the same recording."""
    (raw,) = (CAPTURES / "huawei_vrp" / "virtual-cable-test").glob("*.raw")
    (row,) = rows("huawei_vrp", "virtual-cable-test", raw.read_text())
    pairs = dialect(Dialect.HUAWEI_VRP5).read_cable([raw.read_text()])
    assert [one.name for one in pairs] == list("ABCD")
    for pair in pairs:
        state = row[f"pair_{pair.name.lower()}_state"]
        assert pair.state == str(state).lower()
        assert pair.metres is None
        assert row[f"pair_{pair.name.lower()}_length"] == "Unknown"


@pytest.mark.parametrize(
    ("platform", "command", "says"),
    [
        ("ruijie_os", "show version", "no template for 'show version' of 'ruijie_os'"),
        ("huawei_vrp", "display the moon", "no template for 'display the moon'"),
        ("cisco_ios_of_the_future", "show version", "no template"),
        ("", "show version", "no template"),
        ("../../etc", "show version", "no template"),
        ("cisco_ios", "", "no command"),
        ("cisco_ios", "show version\nreload", "no command"),
        (".*", "show version", "no template"),
    ],
)
def test_no_template(platform: str, command: str, says: str) -> None:
    with pytest.raises(NoTemplateError, match=says.replace(".", r"\.")):
        rows(platform, command, "text")


def test_a_text_that_does_not_fit() -> None:
    with pytest.raises(UnreadableError, match="is not as cisco_ios writes it"):
        rows("cisco_ios", "show interfaces status", "<html>\nnot a switch at all\n")
    with pytest.raises(UnreadableError, match="more than 2000000 characters"):
        rows("cisco_ios", "show version", "x" * 2_000_001)
    assert rows("cisco_ios", "show interfaces status", "") == []


@given(st.text(max_size=300))
def test_any_text_gives_rows_or_a_sentence(text: str) -> None:
    for platform, command in (
        ("huawei_vrp", "display lldp neighbor"),
        ("hp_comware", "display interface"),
        ("zte_zxros", "show interface brief"),
    ):
        with suppress(UnreadableError):
            assert isinstance(rows(platform, command, text), list)


def test_platforms() -> None:
    assert platform_of(Dialect.COMWARE) == "hp_comware"
    with pytest.raises(NoTemplateError, match="no templates for ruijie"):
        platform_of(Dialect.RUIJIE)
    assert set(Dialect) - set(PLATFORMS) == {Dialect.RUIJIE}


async def test_in_the_child() -> None:
    consoles = ChildConsoles()
    try:
        text = "Pair A length: 12meter(s)\nPair A state: Open\n"
        (row,) = await consoles.rows(Dialect.HUAWEI_VRP5, "virtual-cable-test", text)
        assert row["pair_a_state"] == "Open"
        with pytest.raises(NoTemplateError):
            await consoles.rows(Dialect.HUAWEI_VRP5, "display the moon", "")
        with pytest.raises(NoTemplateError):
            await consoles.rows(Dialect.RUIJIE, "show version", "")
        with pytest.raises(UnreadableError):
            await consoles.rows(Dialect.CISCO_IOS, "show interfaces status", "<html>")
    finally:
        await consoles.close()
