"""What an agent says of a repair, clause by clause: a code and its values, and their English.

The English sentence stands in logs and answers; the codes travel beside it, so that a page can say
the same in its own language. What is none of ours (a switch's own refusal) is :attr:`Saying.WORDS`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Self

MOST_CLAUSES = 12
MOST_VALUES = 6
MOST_VALUE = 500
"""Characters; of longer ones the rest is left out."""


class Saying(StrEnum):
    """One clause."""

    WORDS = "words"
    BEGINS = "begins"
    TAKEN = "taken"
    SET_OTHERWISE = "set-otherwise"
    UNREADABLE = "unreadable"
    NOTHING_CHANGED = "nothing-changed"
    NOT_WRITTEN = "not-written"
    NOT_SET_SO = "not-set-so"
    STILL_GOOD = "still-good"
    NOT_GOOD = "not-good"
    WENT_BACK = "went-back"
    TOOK_BACK = "took-back"
    OTHERS_DOWN = "others-down"
    NO_ANSWER = "no-answer"
    BOARDS_HEARD = "boards-heard"
    PORT_FULL = "port-full"
    PORT_HALF = "port-half"
    PORT_DOWN = "port-down"
    PORT_SHUT = "port-shut"
    PROVED_BEFORE = "proved-before"
    RESTARTED = "restarted"
    NOT_SAVED = "not-saved"
    SAVED = "saved"
    AS_BEFORE = "as-before"
    NOT_BACK = "not-back"
    PERSON = "person"
    CABLE_WELL = "cable-well"
    CABLE_BAD = "cable-bad"
    CABLE_FAILED = "cable-failed"
    WINDOW_OVER = "window-over"
    WINDOW_STUCK = "window-stuck"


ENGLISH: Mapping[Saying, str] = MappingProxyType({
    Saying.WORDS: "{text}",
    Saying.BEGINS: "{intent} of {where} begins",
    Saying.TAKEN: "all lines were taken",
    Saying.SET_OTHERWISE: "{port} of {switch} was set otherwise since it was approved",
    Saying.UNREADABLE: "how {port} of {switch} is set cannot be read ({why})",
    Saying.NOTHING_CHANGED: "nothing was changed",
    Saying.NOT_WRITTEN: "it cannot be written down how far it is: {why}",
    Saying.NOT_SET_SO: "the switch took the lines and does not say that it is set so",
    Saying.STILL_GOOD: "still good after {seconds} s in {looks} looks",
    Saying.NOT_GOOD: "{seconds} s later it is not good",
    Saying.WENT_BACK: "the switch went back by itself while it was looked at",
    Saying.TOOK_BACK: "the switch took it back by itself after the proof",
    Saying.OTHERS_DOWN: "{ports} of {switch} carried a link and went down",
    Saying.NO_ANSWER: "{switch} did not answer in {seconds} s",
    Saying.BOARDS_HEARD: "heard again meanwhile: {boards}",
    Saying.PORT_FULL: "{port} is up, {speed} Mb/s, full",
    Saying.PORT_HALF: "{port} is up, {speed} Mb/s, half",
    Saying.PORT_DOWN: "{port} is down",
    Saying.PORT_SHUT: "{port} is down, shut",
    Saying.PROVED_BEFORE: "proved before the session ended",
    Saying.RESTARTED: "the agent was started anew in the middle of it",
    Saying.NOT_SAVED: "but it is not saved: {why}",
    Saying.SAVED: "the configuration is saved",
    Saying.AS_BEFORE: "{port} of {switch} is as before",
    Saying.NOT_BACK: "{port} of {switch} could not be put back ({why})",
    Saying.PERSON: "a person has to look at the switch now",
    Saying.CABLE_WELL: "the cable test finds no bad pair",
    Saying.CABLE_BAD: "the cable test says: {pairs}",
    Saying.CABLE_FAILED: "the cable test failed: {why}",
    Saying.WINDOW_OVER: "{intent} of {port} has ended: it is as before",
    Saying.WINDOW_STUCK: "{intent} of {port} has ended and could not be taken back ({why})",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause with its values."""

    saying: Saying
    values: Mapping[str, str]

    def __str__(self) -> str:
        return ENGLISH[self.saying].format(**self.values)


class Said(str):
    """An English sentence that knows its clauses."""

    __slots__ = ("clauses",)
    clauses: tuple[Clause, ...]

    def __new__(cls, *clauses: Clause) -> Self:
        """Of these clauses."""
        made = super().__new__(cls, "; ".join(map(str, clauses)))
        made.clauses = clauses
        return made


def said(saying: Saying, **values: str) -> Said:
    """A sentence of one clause."""
    return Said(Clause(saying, values))


def joined(*parts: str) -> Said:
    """Sentences one after the other; what knows no clauses of its own is taken word by word."""
    return Said(*(clause for part in parts for clause in clauses_of(part)))


def clauses_of(sentence: str) -> tuple[Clause, ...]:
    """What a sentence is made of."""
    if isinstance(sentence, Said):
        return sentence.clauses
    return (Clause(Saying.WORDS, {"text": str(sentence)}),)


def to_json(clauses: tuple[Clause, ...]) -> str:
    """``[["still-good", {"seconds": "5", "looks": "4"}], ...]``, as it travels."""
    return json.dumps(
        [
            [one.saying.value, {name: text[:MOST_VALUE] for name, text in one.values.items()}]
            for one in clauses[:MOST_CLAUSES]
        ],
        ensure_ascii=False,
    )


def read_clauses(value: object) -> tuple[Clause, ...]:
    """Clauses out of JSON that somebody sent, already parsed; none where one is not understood."""
    if not isinstance(value, list) or len(value) > MOST_CLAUSES:
        return ()
    found = tuple(map(_clause, value))
    return () if None in found else tuple(one for one in found if one is not None)


def _clause(value: object) -> Clause | None:
    match value:
        case [str(name), dict(values)] if name in set(Saying) and len(values) <= MOST_VALUES:
            texts = {str(key): text for key, text in values.items() if isinstance(text, str)}
        case _:
            return None
    clause = Clause(Saying(name), {key: text[:MOST_VALUE] for key, text in texts.items()})
    try:
        str(clause)
    except KeyError:
        return None
    return clause
