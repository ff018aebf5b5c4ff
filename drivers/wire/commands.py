"""Commands over Sparkplug: ``<Verb>/Request`` by NCMD, ``<Verb>/Reply`` by NDATA.

Both are String metrics holding JSON (docs/internals.md, "Wire"). A request past its deadline
(epoch ms) is refused by the agent: :meth:`Request.expired`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from drivers.wire.sparkplug.codec import Metric
from drivers.wire.sparkplug.schema import DataType

REQUEST, REPLY = "Request", "Reply"
MAX_COMMAND_BYTES = 256 * 1024

_VERB = re.compile(r"[A-Z][A-Za-z0-9]{0,31}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OWN_KEYS = frozenset({"id", "deadline_ms"})
_MAX_DEADLINE_MS = 2**53


class CommandError(ValueError):
    """A request or reply that is malformed; the sentence says what is wrong."""


class CommandState(StrEnum):
    """Where a command stands; the last two are final."""

    EXECUTING = "executing"
    SUCCESSFUL = "successful"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One asking. ``arguments`` are all other keys of the JSON body."""

    verb: str
    id: str
    deadline_ms: int
    arguments: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        _check(self.verb, self.id)
        if not 0 < self.deadline_ms < _MAX_DEADLINE_MS:
            raise CommandError(f"{self.verb} {self.id}: deadline_ms is not epoch milliseconds")
        if taken := _OWN_KEYS & self.arguments.keys():
            raise CommandError(f"{self.verb} {self.id}: argument name {min(taken)} is taken")

    def expired(self, now_ms: int) -> bool:
        """Whether the deadline has passed."""
        return now_ms > self.deadline_ms

    def metric(self, *, now_ms: int) -> Metric:
        """The metric of an NCMD; raises :class:`CommandError` if it is too large."""
        body = {"id": self.id, "deadline_ms": self.deadline_ms, **self.arguments}
        return _metric(f"{self.verb}/{REQUEST}", body, now_ms)

    @classmethod
    def read(cls, metric: Metric) -> "Request":
        """Read the metric of an NCMD; raises :class:`CommandError`."""
        verb, body = _body(metric, REQUEST)
        deadline = body.get("deadline_ms")
        if not isinstance(deadline, int) or isinstance(deadline, bool):
            raise CommandError(f"{verb}: deadline_ms is missing or no integer")
        return cls(
            verb=verb,
            id=_string(body, "id", verb),
            deadline_ms=deadline,
            arguments=MappingProxyType(
                {key: value for key, value in body.items() if key not in _OWN_KEYS}
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of a request; ``code`` is 0 when all is well."""

    verb: str
    id: str
    state: CommandState
    code: int = 0
    message: str = ""
    asked: int = 1
    """How often the request had been sent by then: the asker's own count, never on the wire."""

    def __post_init__(self) -> None:
        _check(self.verb, self.id)

    def metric(self, *, now_ms: int, alias: int | None = None) -> Metric:
        """The metric of an NDATA, by name or, if the birth gave one, by ``alias``."""
        body = {
            "id": self.id,
            "state": self.state.value,
            "code": self.code,
            "message": self.message,
        }
        return _metric(f"{self.verb}/{REPLY}", body, now_ms, alias)

    @classmethod
    def read(cls, metric: Metric) -> "Reply":
        """Read the metric of an NDATA (its name filled in); raises :class:`CommandError`."""
        verb, body = _body(metric, REPLY)
        code = body.get("code", 0)
        if not isinstance(code, int) or isinstance(code, bool):
            raise CommandError(f"{verb}: code is no integer")
        try:
            state = CommandState(_string(body, "state", verb))
        except ValueError as error:
            raise CommandError(f"{verb}: state is none of executing, successful, failed") from error
        return cls(
            verb=verb,
            id=_string(body, "id", verb),
            state=state,
            code=code,
            message=_string(body, "message", verb) if "message" in body else "",
        )


def declarations(verb: str, *, now_ms: int) -> tuple[Metric, Metric]:
    """``<Verb>/Request`` and ``<Verb>/Reply`` as NBIRTH declares them: null, no alias."""
    _check(verb, "-")
    return (
        Metric(name=f"{verb}/{REQUEST}", datatype=DataType.STRING, timestamp_ms=now_ms),
        Metric(name=f"{verb}/{REPLY}", datatype=DataType.STRING, timestamp_ms=now_ms),
    )


def is_request(metric: Metric) -> bool:
    """Whether the metric's name is some verb's request."""
    return metric.name is not None and metric.name.endswith(f"/{REQUEST}")


def is_reply(metric: Metric) -> bool:
    """Whether the metric's name is some verb's reply."""
    return metric.name is not None and metric.name.endswith(f"/{REPLY}")


def _check(verb: str, identity: str) -> None:
    if not _VERB.fullmatch(verb):
        raise CommandError(f"verb {verb!r} is not valid: {_VERB.pattern}")
    if not _ID.fullmatch(identity):
        raise CommandError(f"{verb}: id {identity!r} is not valid: {_ID.pattern}")


def _metric(name: str, body: Mapping[str, object], now_ms: int, alias: int | None = None) -> Metric:
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise CommandError(f"{name}: the body cannot be written as JSON: {error}") from error
    if len(text.encode("utf-8", "surrogatepass")) > MAX_COMMAND_BYTES:
        raise CommandError(f"{name}: the body is larger than {MAX_COMMAND_BYTES} bytes")
    return Metric(
        name=None if alias is not None else name,
        alias=alias,
        datatype=DataType.STRING,
        value=text,
        timestamp_ms=now_ms,
    )


def _body(metric: Metric, suffix: str) -> tuple[str, Mapping[str, object]]:
    verb, separator, what = (metric.name or "").rpartition("/")
    if not separator or what != suffix:
        raise CommandError(f"metric {metric.name!r} is no {suffix.lower()}")
    _check(verb, "-")
    if not isinstance(metric.value, str) or len(metric.value) > MAX_COMMAND_BYTES:
        raise CommandError(f"{metric.name} holds no text, or too much of it")
    try:
        body = json.loads(metric.value)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{metric.name} holds no JSON: {error}") from error
    if not isinstance(body, dict):
        raise CommandError(f"{metric.name} holds no JSON object")
    return verb, body


def _string(body: Mapping[str, object], key: str, verb: str) -> str:
    value = body.get(key)
    if not isinstance(value, str):
        raise CommandError(f"{verb}: {key} is missing or no text")
    return value
