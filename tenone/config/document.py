"""A YAML file as plain values that remember their lines.

YAML 1.2's core rules for plain scalars (``no`` is text, not false; ``1:30`` is text, not
90), one document, no tags, no duplicate keys, bounded in bytes, depth and values, so a
hostile or broken file ends in a sentence and never in an endless load.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from tenone.config.problems import ConfigError, ConfigProblem, KeyPath, spell

MAX_BYTES = 8_000_000
MAX_DEPTH = 32
MAX_VALUES = 1_000_000
"""Values after aliases are unfolded; a city of 1,000 schools in one file has 600,000."""

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, Plain] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_TAB_INDENT = re.compile(r" *\t")


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its values and where each of them stands."""

    file: Path
    values: dict[str, Plain]
    places: dict[KeyPath, Place]

    def place(self, path: KeyPath) -> Place:
        """Where ``path`` stands, or the nearest thing around it that stands somewhere."""
        for length in range(len(path), 0, -1):
            found = self.places.get(path[:length])
            if found is not None:
                return found
        return Place(1, 1)

    def problem(self, path: KeyPath, what: str, remedy: str) -> ConfigProblem:
        """A problem at ``path``."""
        place = self.place(path)
        return ConfigProblem(self.file, place.line, place.column, spell(path), what, remedy)


def read_document(file: Path) -> Document:
    """Read ``file``; raises :class:`ConfigError`."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        what = f"the file cannot be read ({error.strerror or error})"
        raise _refused(file, None, what, "give the path of a readable YAML file") from error
    if len(data) > MAX_BYTES:
        what = f"the file is larger than {MAX_BYTES // 1_000_000} MB"
        raise _refused(file, None, what, "split it: one file a school, in a directory")
    return parse_document(file, data)


def parse_document(file: Path, data: bytes) -> Document:
    """Parse the bytes of ``file``; raises :class:`ConfigError`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Place(data.count(b"\n", 0, error.start) + 1, 1)
        what = "this line is not UTF-8 text"
        raise _refused(file, place, what, "save the file in the encoding UTF-8") from error
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        raise _syntax(file, text, error) from error
    if not isinstance(builder.root, dict):
        what = "the file is empty" if builder.root is None else "the file is not a group of keys"
        raise _refused(file, None, what, "start with 'schema_version: 1'")
    if builder.problems:
        raise ConfigError(builder.problems)
    return Document(file, builder.root, builder.places)


@dataclass(slots=True)
class _Open:
    """A list or a group of keys that is still being read."""

    value: list[Plain] | dict[str, Plain]
    path: KeyPath
    anchor: str | None
    first_value: int
    """How many values had been read before this one."""
    key: str | None = None
    key_place: Place | None = None


@dataclass(slots=True)
class _Builder:
    """Turns parser events into values, without recursion."""

    file: Path
    root: Plain = None
    places: dict[KeyPath, Place] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Plain, int]] = field(default_factory=dict)
    count: int = 0
    documents: int = 0

    def take(self, event: yaml.Event) -> None:
        """Fold one event in."""
        place = _place(event.start_mark)
        match event:
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    what = "a second document starts here"
                    raise _refused(self.file, place, what, "keep one document a file")
            case yaml.ScalarEvent():
                self._scalar(event, place)
            case yaml.AliasEvent():
                self._alias(event, place)
            case yaml.SequenceStartEvent():
                self._open(event, [], place)
            case yaml.MappingStartEvent():
                self._open(event, {}, place)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                done = self.stack.pop()
                if done.anchor:
                    self.anchors[done.anchor] = (done.value, self.count - done.first_value)
            case _:
                pass

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> None:
        self._no_tag(event.tag, place)
        plain = not event.style and event.implicit[0]  # "" from the C parser
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._key(top, event.value, place, merge=plain and event.value == "<<")
            return
        value: Plain = resolve(event.value) if plain else event.value
        self._grow(1, place)
        if event.anchor:
            self.anchors[event.anchor] = (value, 1)
        self._place_value(value, place)

    def _key(self, top: _Open, key: str, place: Place, *, merge: bool) -> None:
        path = (*top.path, key)
        if merge:
            what = "merge keys (<<) are not part of this format"
            raise _refused(self.file, place, what, "write the keys out", spell(top.path))
        if key in top.value:
            first = self.places[path].line
            what = f"the key stands here a second time (first in line {first})"
            self.problems.append(
                ConfigProblem(
                    self.file, place.line, place.column, spell(path), what, "keep one of the two"
                )
            )
        top.key, top.key_place = key, place

    def _alias(self, event: yaml.AliasEvent, place: Place) -> None:
        if event.anchor not in self.anchors:
            what = f"the alias *{event.anchor} stands for nothing that is complete before it"
            raise _refused(self.file, place, what, f"define &{event.anchor} further up")
        value, size = self.anchors[event.anchor]
        self._no_key_wanted(place)
        self._grow(size, place)
        self._place_value(value, place)

    def _open(
        self,
        event: yaml.SequenceStartEvent | yaml.MappingStartEvent,
        value: list[Plain] | dict[str, Plain],
        place: Place,
    ) -> None:
        self._no_tag(event.tag, place)
        self._no_key_wanted(place)
        if len(self.stack) >= MAX_DEPTH:
            what = f"more than {MAX_DEPTH} levels are nested in each other"
            raise _refused(self.file, place, what, "flatten the file")
        first_value = self.count
        self._grow(1, place)
        path = self._place_value(value, place)
        self.stack.append(_Open(value, path, event.anchor, first_value))

    def _place_value(self, value: Plain, place: Place) -> KeyPath:
        """Put a value where it belongs; returns its path."""
        if not self.stack:
            self.root = value
            return ()
        top = self.stack[-1]
        if isinstance(top.value, list):
            path: KeyPath = (*top.path, len(top.value))
            top.value.append(value)
            self.places[path] = place
        else:
            key = top.key or ""
            path = (*top.path, key)
            top.value[key] = value
            self.places[path] = top.key_place or place
            top.key = None
        return path

    def _grow(self, by: int, place: Place) -> None:
        self.count += by
        if self.count > MAX_VALUES:
            what = f"the file unfolds to more than {MAX_VALUES} values"
            raise _refused(self.file, place, what, "use fewer aliases, or one file a school")

    def _no_tag(self, tag: str | None, place: Place) -> None:
        if tag is not None:
            what = f"the tag {tag} is not part of this format"
            raise _refused(self.file, place, what, "write the plain value without a tag")

    def _no_key_wanted(self, place: Place) -> None:
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            what = "a key must be a single word, not a list, a group or an alias"
            raise _refused(self.file, place, what, "write 'key: value'", spell(top.path))


def resolve(text: str) -> Plain:
    """The value of an unquoted scalar: null, a boolean, a number, or the text itself.

    A number with leading zeros stays text, so that a serial such as 007 keeps its zeros.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _place(mark: Any) -> Place:
    # Any: PyYAML's Python and C parsers have marks of unrelated types, both with these two.
    return Place(mark.line + 1, mark.column + 1)


def _refused(file: Path, place: Place | None, what: str, remedy: str, key: str = "") -> ConfigError:
    line, column = (place.line, place.column) if place else (0, 0)
    return ConfigError([ConfigProblem(file, line, column, key, what, remedy)])


def _syntax(file: Path, text: str, error: yaml.YAMLError) -> ConfigError:
    """A YAML error in our words: tabs are named, the parser's own hint is kept."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        position = getattr(error, "position", 0)
        place = Place(text.count("\n", 0, position) + 1, 1)
        what = "the line holds a character that YAML does not allow"
        return _refused(file, place, what, "remove the control character")
    place = _place(mark)
    lines = text.splitlines()
    if place.line <= len(lines) and _TAB_INDENT.match(lines[place.line - 1]):
        return _refused(file, place, "the line is indented with a tab", "indent with spaces")
    hint = getattr(error, "problem", None) or "the text is not YAML"
    return _refused(file, place, f"YAML: {hint}", "look at this line and the one above it")
