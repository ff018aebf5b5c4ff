"""Turns pydantic's findings into sentences with file, line, key and remedy."""

import difflib
import types
import typing
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tenone.config.base import ConfigModel
from tenone.config.document import Document
from tenone.config.problems import ConfigProblem, KeyPath
from tenone.config.refusal import REFUSAL

_SHAPES = {
    "model_type": ("a group of keys", "write 'key: value' lines under it, indented"),
    "model_attributes_type": ("a group of keys", "write 'key: value' lines under it, indented"),
    "dict_type": ("a group of keys", "write 'key: value' lines under it, indented"),
    "tuple_type": ("a list", "start each entry with '- ' on its own line"),
    "string_type": ("text", "put it in quotes if it looks like a number"),
    "int_type": ("a whole number", "write digits without quotes"),
    "bool_type": ("true or false", "write true or false without quotes"),
    "float_type": ("a number", "write digits, without quotes"),
    "float_parsing": ("a number", "write digits, without quotes"),
}
_BOUNDS = {
    "greater_than": ("gt", "must be more than", "raise it"),
    "greater_than_equal": ("ge", "must be at least", "raise it"),
    "less_than": ("lt", "must be less than", "lower it"),
    "less_than_equal": ("le", "must be at most", "lower it"),
}
_LENGTHS = {
    "string_too_short": ("min_length", "is shorter than {} characters", "write it out"),
    "string_too_long": ("max_length", "is longer than {} characters", "shorten it"),
    "too_short": ("min_length", "has fewer than {} entries", "add what is missing"),
}


def explain(
    document: Document, model: type[ConfigModel], error: ValidationError, prefix: KeyPath = ()
) -> list[ConfigProblem]:
    """One problem for each thing pydantic found in the part of ``document`` at ``prefix``."""
    problems = []
    for detail in error.errors(include_url=False):
        path = tuple(part for part in detail["loc"] if part != "[key]")
        what, remedy = _sentence(model, path, detail)
        problems.append(document.problem(prefix + path, what, remedy))
    return sorted(problems, key=lambda problem: (problem.line, problem.column))


def _sentence(model: type[ConfigModel], path: KeyPath, detail: ErrorDetails) -> tuple[str, str]:
    match detail["type"]:
        case kind if kind == REFUSAL:
            context = detail["ctx"]
            return context["what"], context["remedy"]
        case "missing":
            return f"{str(path[-1])!r} is missing", f"add '{path[-1]}: ...'"
        case "extra_forbidden":
            return _unknown_key(_model_at(model, path[:-1]), str(path[-1]))
        case "enum" | "literal_error":
            return _choice(model, path, detail)
        case _:
            return _measured(detail)


def _measured(detail: ErrorDetails) -> tuple[str, str]:
    """Shapes, bounds and lengths: the findings that need nothing but themselves."""
    kind = detail["type"]
    context: dict[str, Any] = detail.get("ctx", {})
    what = detail["msg"][:1].lower() + detail["msg"][1:]
    remedy = "correct the value"
    if kind in _SHAPES:
        wanted, remedy = _SHAPES[kind]
        what = f"this must be {wanted}, not {_describe(detail['input'])}"
    elif kind in _BOUNDS:
        key, words, remedy = _BOUNDS[kind]
        what = f"{detail['input']} is out of range: it {words} {context[key]:g}"
    elif kind in _LENGTHS:
        key, words, remedy = _LENGTHS[kind]
        what = f"this {words.format(context[key])}"
    elif kind == "string_pattern_mismatch":
        what = "the text does not have the right form"
        remedy = f"it must match {context['pattern']}"
    return what, remedy


def _unknown_key(model: type[ConfigModel], key: str) -> tuple[str, str]:
    if key in model.LATER:
        return (
            f"{key!r} comes with a later version of TenOne ({model.LATER[key]})",
            "remove the key; this version would do nothing with it",
        )
    known = sorted(model.model_fields)
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    remedy = (
        f"perhaps {close[0]!r} was meant" if close else f"the keys known here: {', '.join(known)}"
    )
    return f"the key {key[:60]!r} is not known here", remedy


def _choice(model: type[ConfigModel], path: KeyPath, detail: ErrorDetails) -> tuple[str, str]:
    known = _choices_at(model, path)
    value = detail["input"]
    if not known:
        return f"{_describe(value)} is not allowed here", f"use {detail['ctx']['expected']}"
    shown = ", ".join(known)
    close = difflib.get_close_matches(str(value), known, n=1, cutoff=0.6)
    remedy = f"perhaps {close[0]!r} was meant; known here: {shown}" if close else f"use {shown}"
    return f"{_describe(value)} is not allowed here", remedy


def _describe(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return repr(value[:60])
        case Mapping():
            return "a group of keys"
        case list() | tuple():
            return "a list"
        case _:
            return f"the number {value}"


def _annotations(kind: object) -> Iterable[object]:
    """The alternatives of an annotation without None and without metadata."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        yield from _annotations(typing.get_args(kind)[0])
    elif origin in {typing.Union, types.UnionType}:
        for part in typing.get_args(kind):
            yield from _annotations(part)
    elif kind is not type(None):
        yield kind


def _at(model: type[ConfigModel], path: KeyPath) -> object:
    """The annotation of the value at ``path``; None where the models have nothing there."""
    kind: object = model
    for part in path:
        kind = next(iter(_annotations(kind)), None)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(part))
            kind = field.annotation if field else None
        else:
            arguments = typing.get_args(kind)
            if not arguments:
                return None
            kind = arguments[1] if typing.get_origin(kind) is dict else arguments[0]
    return next(iter(_annotations(kind)), None)


def _model_at(model: type[ConfigModel], path: KeyPath) -> type[ConfigModel]:
    found = _at(model, path)
    return found if isinstance(found, type) and issubclass(found, ConfigModel) else model


def _choices_at(model: type[ConfigModel], path: KeyPath) -> list[str]:
    found = _at(model, path)
    if typing.get_origin(found) is Literal:
        return [str(choice) for choice in typing.get_args(found)]
    if isinstance(found, type) and issubclass(found, Enum):
        return [str(choice.value) for choice in found]
    return []
