import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenone.vocabulary.scope import (
    DeviceId,
    DeviceKind,
    IdentifierError,
    LinkId,
    ScopePath,
    device_kind,
    is_slug,
    slug,
)

SLUGS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=32)
PATHS = st.lists(SLUGS, max_size=5).map(lambda parts: ScopePath(tuple(map(slug, parts))))
KINDS = st.sampled_from(DeviceKind)


@pytest.mark.parametrize("text", ["a", "no-3", "0", "-", "a" * 32])
def test_slugs(text: str) -> None:
    assert is_slug(text)
    assert slug(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "A", "a b", "a_b", "a/b", "a" * 33, "é", "三", "a\n", "\na", "+", "#", "..", "a.b", "１"],
)
def test_what_is_no_slug(text: str) -> None:
    assert not is_slug(text)
    with pytest.raises(IdentifierError, match=re.escape(f"school {text!r} is not a valid")):
        slug(text, "school")


@given(st.text(max_size=40))
def test_a_slug_is_safe_in_a_path_and_a_topic(text: str) -> None:
    if is_slug(text):
        assert not set(text) & set("/+#$\0 ")
        assert 1 <= len(text.encode()) <= 32


@given(PATHS)
def test_a_path_is_read_as_it_is_written(path: ScopePath) -> None:
    assert ScopePath.parse(str(path)) == path


@pytest.mark.parametrize("text", ["a//b", "/a", "a/", "//", "A/b", "a/b c"])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(IdentifierError):
        ScopePath.parse(text)


@pytest.mark.parametrize("text", ["", "/"])
def test_the_empty_path_is_everything(text: str) -> None:
    assert ScopePath.parse(text) == ScopePath()


@pytest.mark.parametrize(
    ("outer", "inner", "covers"),
    [
        ("", "", True),
        ("", "binhai/east/no3", True),
        ("binhai", "binhai/east/no3", True),
        ("binhai/east", "binhai/east", True),
        ("binhai/east/no3", "binhai/east", False),
        ("binhai/east", "binhai/west/no3", False),
        ("binhai/east/no3", "binhai/east/no31", False),
        ("east", "binhai/east", False),
    ],
)
def test_covers(outer: str, inner: str, covers: bool) -> None:
    assert ScopePath.parse(outer).covers(ScopePath.parse(inner)) is covers


@given(PATHS, PATHS, PATHS)
def test_covering_is_an_order(a: ScopePath, b: ScopePath, c: ScopePath) -> None:
    assert a.covers(a)
    if a.covers(b) and b.covers(a):
        assert a == b
    joined = ScopePath(a.parts + b.parts)
    assert a.covers(joined)
    if joined.covers(c):
        assert a.covers(c)
    # On whole parts, never on characters: the text with a closing slash tells the two apart.
    assert a.covers(b) == (not a.parts or f"{b}/".startswith(f"{a}/"))


@given(PATHS, SLUGS)
def test_a_child_lies_inside(path: ScopePath, part: str) -> None:
    child = path.child(part)
    assert path.covers(child)
    assert not child.covers(path)


@given(SLUGS, SLUGS)
def test_link_ids(school: str, link: str) -> None:
    link_id = LinkId.parse(f"{school}/{link}")
    assert (link_id.school, link_id.link) == (school, link)
    assert str(link_id) == f"{school}/{link}"


@given(SLUGS, KINDS, SLUGS)
def test_device_ids(school: str, kind: DeviceKind, serial: str) -> None:
    device = DeviceId.parse(f"{school}/{kind}/{serial}")
    assert (device.school, device.kind, device.serial) == (school, kind, serial)
    assert str(device) == f"{school}/{kind.value}/{serial}"
    assert device.sparkplug_device == f"{kind.value}-{serial}"
    # Kinds hold no hyphen, so the first one parts kind from serial again.
    assert device.sparkplug_device.partition("-") == (kind.value, "-", serial)


@pytest.mark.parametrize("text", ["", "a", "a/", "/b", "a/b/c", "A/b", "a/b c"])
def test_what_is_no_link_id(text: str) -> None:
    with pytest.raises(IdentifierError):
        LinkId.parse(text)


@pytest.mark.parametrize(
    "text", ["", "a", "a/board", "a/tv/x", "a/board/x/y", "a/board/X", "a/BOARD/x", "a//x"]
)
def test_what_is_no_device_id(text: str) -> None:
    with pytest.raises(IdentifierError):
        DeviceId.parse(text)


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(IdentifierError, match="'tv' is unknown: use one of switch ap ups"):
        device_kind("tv")


def test_identifiers_sort_and_serve_as_keys() -> None:
    ids = [LinkId.parse(text) for text in ("b/a", "a/b", "a/a")]
    assert [str(link) for link in sorted(ids)] == ["a/a", "a/b", "b/a"]
    assert len({*ids, LinkId.parse("a/a")}) == 3
