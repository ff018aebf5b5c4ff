"""Words of one language for machines, keys and sessions."""

from datetime import datetime

from controller.api.problems import Problem
from controller.trust.machine_standing import Cut, CutState, Refusal
from controller.trust.people.open_sessions import GONE, OWN
from dashboards.ops import keeping_phrases as k
from dashboards.ops.people_words import PeopleWords
from dashboards.ops.words import DAY, HOUR, MINUTE, ZONE, Words
from tenone.trust.names import MachineKind


class KeepingWords:
    """Everything the templates of these pages say, at one moment."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.people = PeopleWords(words.language)
        self._ = words.language.text

    # -- moments

    @staticmethod
    def moment(at: float) -> str:
        """``2026-11-27 09:12``, city time."""
        return datetime.fromtimestamp(at, ZONE).strftime("%Y-%m-%d %H:%M")

    def when(self, at: float) -> str:
        """``in 5 d``, ``12 min ago``: in the largest unit that is at least one."""
        left = int(at - self.words.now)
        if left < 0:
            return self.words.age(-left)
        for size, message in ((DAY, k.IN_DAYS), (HOUR, k.IN_HOURS), (MINUTE, k.IN_MINUTES)):
            if left >= size:
                return self._(message, n=left // size)
        return self._(k.NOW)

    # -- machines

    def state(self, state: str) -> str:
        """What a machine's state is called."""
        return self._(k.STATES[state])

    def meaning(self, state: str) -> str:
        """What that state means."""
        return self._(k.MEANINGS[state])

    @staticmethod
    def mark(state: str) -> str:
        """Which mark the state wears."""
        return k.MARKS[state]

    def kind(self, kind: MachineKind) -> str:
        """Gateway, device, server, service."""
        return self._(k.KINDS[kind])

    def headline(self, counts: dict[str, int]) -> tuple[str, str]:
        """Mark and sentence of all machines together."""
        enrolled = sum(counts[one] for one in ("expired", "late", "active"))
        if counts["expired"]:
            return "crit", self._(k.HEAD_EXPIRED, n=counts["expired"])
        if counts["late"]:
            return "warn", self._(k.HEAD_LATE, n=counts["late"])
        if enrolled:
            return "ok", self._(k.HEAD_ALL, n=enrolled)
        return "unknown", self._(k.HEAD_NONE)

    def cut(self, cut: Cut) -> str:
        """What is known of a revoked machine's session."""
        time = "" if cut.at is None else self.words.clock(cut.at, seconds=True)
        if cut.state is CutState.CUT:
            return self._(k.CUTS[cut.state], time=time)
        return self._(k.CUTS[cut.state])

    @staticmethod
    def cut_mark(cut: Cut) -> str:
        """Its mark."""
        return k.CUT_MARKS[cut.state]

    def refused(self, one: Refusal) -> str:
        """Why an enrolment or renewal was refused."""
        return self._(k.REFUSALS[one.code]) if one.code in k.REFUSALS else one.code

    def refused_act(self, one: Refusal) -> str:
        """What was refused."""
        return self._(k.REFUSED_ACTS.get(one.act, one.act))

    def not_renewed(self, refusals: list[Refusal]) -> str:
        """Why a machine was not renewed, as far as this controller saw."""
        if not refusals:
            return self._(k.NO_REQUEST)
        newest = refusals[0]
        time = self.words.clock(newest.at)
        return self._(k.REFUSED_RENEWAL, time=time, client=newest.client, why=self.refused(newest))

    # -- keys

    def key_state(self, state: str) -> str:
        """What a key's state is called."""
        return self._(k.KEY_STATES[state])

    @staticmethod
    def key_mark(state: str) -> str:
        """Its mark."""
        return k.KEY_MARKS[state]

    # -- to do

    def group(self, group: str) -> str:
        """What a group of things to do is called."""
        return self._(k.GROUPS[group])

    def todo(self, count: int) -> str:
        """The sentence above what there is to do."""
        if not count:
            return self._(k.EMPTY_TODO)
        return self._(k.ONE_TODO) if count == 1 else self._(k.SOME_TODO, n=count)

    # -- refusals

    def refusal(self, problem: Problem | None) -> str:
        """Why nothing was done; empty where all went well."""
        if problem is None:
            return ""
        if problem.detail in SAID:
            return self._(SAID[problem.detail])
        return self.people.refusal(problem)


SAID = {
    GONE: k.SESSION_ENDED,
    OWN: k.OWN_SESSION,
    k.NEEDS_GRANT: k.NEEDS_GRANT,
    k.KEY_FIELDS: k.KEY_FIELDS,
    k.BEYOND: k.BEYOND,
    k.IN_USE: k.IN_USE,
    k.ANEW: k.ANEW,
    k.GIVE_REASON: k.GIVE_REASON,
    k.ONE_LINE: k.ONE_LINE,
    k.KEY_SENT_TWICE: k.KEY_SENT_TWICE,
}
"""Sentences of the core, and how the pages say them."""
