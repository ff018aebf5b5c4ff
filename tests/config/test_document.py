from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tenone.config import document as module
from tenone.config.document import Place, parse_document, read_document, resolve
from tenone.config.problems import ConfigError, ConfigProblem

FILE = Path("f.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("+7", 7),
        ("0", 0),
        ("007", "007"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("1:30", "1:30"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e9999", "1e9999"),
        ("9" * 30, float("9" * 30)),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("2026-11-22", "2026-11-22"),
        ("=", "="),
    ],
)
def test_plain_scalars_follow_the_core_rules(text: str, value: object) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


def test_values_remember_their_places() -> None:
    text = 'a: 1\nb:\n  - x: "7"\n    y: [1, two]\n'
    document = parse_document(FILE, text.encode())
    assert document.values == {"a": 1, "b": [{"x": "7", "y": [1, "two"]}]}
    assert document.place(("b", 0, "y")) == Place(4, 5)
    assert document.place(("b", 0, "y", 1)) == Place(4, 12)
    assert document.place(("b", 0, "missing")) == Place(3, 5)
    assert document.place(("nowhere",)) == Place(1, 1)


def test_aliases_stand_for_their_anchor() -> None:
    document = parse_document(FILE, b"a: &x {c: 1}\nb: *x\nc: [&y 2, *y]\n")
    assert document.values == {"a": {"c": 1}, "b": {"c": 1}, "c": [2, 2]}


BOMB = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (b"", 0, "empty"),
        (b"\n# only a comment\n", 0, "empty"),
        (b"- 1\n- 2\n", 0, "not a group of keys"),
        (b"just text", 0, "not a group of keys"),
        (b"a: 1\nb:\n\t- 1\n", 3, "tab"),
        (b"a: 1\nb: caf\xe9\n", 2, "UTF-8"),
        ("a: 1".encode("utf-16"), 1, "UTF-8"),
        (b"a: 1\nb: \x00\n", 2, "character"),
        (b"a: 1\nb: 2\na: 3\n", 3, "second time (first in line 1)"),
        (b"a: {b: 1,\n b: 2}\n", 2, "second time"),
        (b"a: 1\n---\nb: 1\n", 2, "second document"),
        (b"a: !!python/object/apply:os.system [ls]\n", 1, "tag"),
        (b"a: !secret x\n", 1, "tag"),
        (b"a: &x [*x]\n", 1, "stands for nothing"),
        (b"a: *x\n", 1, "stands for nothing"),
        (b"a: &x 1\n*x : 2\n", 2, "key"),
        (b"? [1, 2]\n: 3\n", 1, "key"),
        (b"a: &x {b: 1}\nc:\n  <<: *x\n", 3, "merge keys"),
        (b"a: [1, 2\nb: 3\n", 2, "YAML"),
        (b"a: 'open\n", 2, "YAML"),
        (b"a: " + b"[" * 5000, 1, "nested"),
        (b"a: " + b"{b: " * 40 + b"}" * 40, 1, "nested"),
        (BOMB.encode(), 6, "unfolds"),
    ],
)
def test_bad_files_end_in_one_sentence(text: bytes, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_document(FILE, text)
    (problem,) = caught.value.problems
    assert problem.line == line
    assert says in problem.what
    assert problem.remedy


def test_every_duplicate_is_reported() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_document(FILE, b"a: 1\na: 2\nb: 1\nb: 1\n")
    assert [problem.line for problem in caught.value.problems] == [2, 4]


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert parse_document(FILE, b"\xef\xbb\xbfa: 1\n").values == {"a": 1}


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_document(tmp_path / name)


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    file = tmp_path / "large.yaml"
    file.write_bytes(b"a: 12345\n")
    assert read_document(file).values == {"a": 12345}
    file.write_bytes(b"a: 1234567\n")
    with pytest.raises(ConfigError, match="larger than"):
        read_document(file)


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    # PyYAML speaks YAML 1.1 and writes a text such as 0E0 bare; in 1.2 that is a number.
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).filter(
        lambda text: isinstance(resolve(text), str)
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcdefg-", min_size=1, max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text("abcdefg", min_size=1, max_size=5), PLAIN, min_size=1, max_size=4))
def test_what_pyyaml_writes_is_read_back(values: dict[str, object]) -> None:
    text = yaml.safe_dump(values, allow_unicode=True)
    assert parse_document(FILE, text.encode()).values == values


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_a_problem(data: bytes) -> None:
    problems: tuple[ConfigProblem, ...] = ()
    values: object = None
    try:
        values = parse_document(FILE, data).values
    except ConfigError as error:
        problems = error.problems
    assert isinstance(values, dict) != bool(problems)
    assert all(str(problem).startswith("f.yaml") for problem in problems)
