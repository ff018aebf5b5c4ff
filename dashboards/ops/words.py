"""What the pages say: marks, speeds, moments and sentences, in one language.

``static/islands/words.js`` says the same in the browser when a cell changes; the messages
both need are :data:`CLIENT_MESSAGES`, and a browser test holds the two to each other.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from controller.views import AgentView, BoardView, LinkView, Overview, SchoolView, SwitchView, Tally
from dashboards.ops.language import Language, mark
from tenone.vocabulary.states import Cause, EvidenceMethod, Severity, Tier, Verdict

ZONE = ZoneInfo("Asia/Shanghai")
MINUTE = 60
HOUR = 3600
DAY = 86400
MEGABITS_IN_GIGABIT = 1000

MARK_WORDS = {
    "ok": mark("Good"),
    "unverified": mark("Unverified"),
    "warn": mark("Warning"),
    "crit": mark("Critical"),
    "unknown": mark("Unknown"),
    "stale": mark("No fresh data"),
}

CAUSES = {
    Cause.POWER: mark("no power at the switch"),
    Cause.UPLINK: mark("the uplink of the school is harmed"),
    Cause.CONFIGURATION: mark("switched off by configuration"),
    Cause.LINK_DOWN: mark("no link"),
    Cause.SPEED: mark("%(speed)s instead of %(contract)s"),
    Cause.DUPLEX: mark("half duplex"),
    Cause.ERRORS: mark("frame errors"),
    Cause.CONGESTION: mark("congested"),
    Cause.LOSS: mark("packets are lost"),
    Cause.DNS: mark("names do not resolve"),
    Cause.ENDPOINT: mark("class board not connected"),
    Cause.AGENT_SILENT: mark("the gateway is silent"),
    Cause.SWITCH_SILENT: mark("the switch does not answer"),
    Cause.STALE: mark("the evidence is too old"),
    Cause.PORT_MISSING: mark("the switch no longer shows this port"),
    Cause.SPEED_UNKNOWN: mark("the switch does not say the speed"),
    Cause.DUPLEX_UNKNOWN: mark("the switch does not say the duplex"),
    Cause.OPER_UNKNOWN: mark("the switch does not say the state"),
    Cause.NOT_BOUND: mark("not bound to a port yet"),
    Cause.NEVER_SEEN: mark("nothing heard yet"),
}
"""Follows a name: "3-2 half duplex"."""

ADVICE = {
    Cause.POWER: mark("Look at the power of the switch and its socket."),
    Cause.UPLINK: mark("Mend the uplink first; the classes behind it follow."),
    Cause.CONFIGURATION: mark("Ask who switched the port off before switching it on again."),
    Cause.LINK_DOWN: mark("Look at both ends of the cable: is it plugged in, do the lamps glow?"),
    Cause.SPEED: mark(
        "Try another patch cord first: 100 Mbit/s on a gigabit port often means that one of "
        "the four pairs is broken. Then look for a speed set by hand at either end."
    ),
    Cause.DUPLEX: mark(
        "Half duplex mostly means that one end is set by hand and the other negotiates: "
        "let both negotiate."
    ),
    Cause.ERRORS: mark("Change the patch cord, clean the fibre, look for bent pins."),
    Cause.CONGESTION: mark("See which port sends the traffic before adding capacity."),
    Cause.LOSS: mark("Follow the path hop by hop and find the first one that loses."),
    Cause.DNS: mark("Ask the resolver from the school itself, then from the city."),
    Cause.ENDPOINT: mark("Look at the power and the cable of the class board."),
    Cause.AGENT_SILENT: mark(
        "Nobody sees this school now. Is the gateway powered, is the uplink there? "
        "It keeps its data and sends it later."
    ),
    Cause.SWITCH_SILENT: mark("Is the switch powered? Has its address or community changed?"),
    Cause.STALE: mark("Poll now; if it stays old, look at the gateway."),
    Cause.PORT_MISSING: mark("Was a module pulled or the switch replaced? Bind the link again."),
    Cause.SPEED_UNKNOWN: mark("Nothing to mend in the classroom: the switch is silent on it."),
    Cause.DUPLEX_UNKNOWN: mark("Nothing to mend in the classroom: the switch is silent on it."),
    Cause.OPER_UNKNOWN: mark("Nothing to mend in the classroom: the switch is silent on it."),
    Cause.NOT_BOUND: mark("Name the switch and port of this link in school.yaml."),
    Cause.NEVER_SEEN: mark("Wait for the first sweep, or poll now."),
}

METHODS = {
    EvidenceMethod.NEGOTIATED: mark("negotiated"),
    EvidenceMethod.PROBED: mark("probed"),
    EvidenceMethod.TESTED: mark("tested"),
}
DUPLEX = {"full": mark("full duplex"), "half": mark("half duplex")}

TIERS = {
    Tier.UPLINK: (mark("Uplinks"), mark("10G to school")),
    Tier.CLASS: (mark("Classes"), mark("1G to class")),
    Tier.BACKBONE: (mark("Backbone links"), ""),
    Tier.WIFI: (mark("Wi-Fi links"), ""),
}
"""What a tier is called, and what is promised for it."""

SINCE = mark("since %(time)s")
COMMA = mark(", ")
HARMED_CLASSES = mark("%(bad)s of %(total)s classes harmed")
HARMED_UPLINK = mark("The uplink is harmed")
HARMED_BOTH = mark("The uplink and %(bad)s of %(total)s classes are harmed")
HARMED_OTHER = mark("%(bad)s of %(total)s links harmed")
UNKNOWN_LINKS = mark("%(unknown)s of %(total)s links unknown")
ALL_LINKS = mark("All %(total)s links hold the promise")
NO_LINKS = mark("No link is described here yet")
HARMED_SCHOOLS = mark("%(bad)s of %(total)s schools harmed")
UNKNOWN_SCHOOLS = mark("%(good)s of %(total)s schools hold the promise, %(unknown)s unknown")
ALL_SCHOOLS = mark("All %(total)s schools hold the promise")
NO_SCHOOLS = mark("No school here yet")
SECONDS_AGO = mark("%(n)s s ago")
MINUTES_AGO = mark("%(n)s min ago")
HOURS_AGO = mark("%(n)s h ago")
DAYS_AGO = mark("%(n)s d ago")
NEVER = mark("never")
ONLINE = mark("online")
OFFLINE = mark("offline")
ANSWERS = mark("answers")
SILENT = mark("silent")
NOT_SEEN = mark("unknown")
BAD_SERIES = mark("Harmed")
UNKNOWN_SERIES = mark("Unknown")
LIVE = mark("Live")
CONNECTING = mark("Connecting")
LOST = mark("Connection lost. This page shows %(time)s and tries again.")
SIGNED_OUT = mark("Your session has ended.")
ASKING = mark("Asking the gateway ...")
POLLED = mark("Done. What the gateway reads now appears here by itself.")
POLL_FAILED = mark("This could not be done now: %(message)s")
NO_ANSWER = mark("The controller did not answer. Try again.")
THEMES = {
    "auto": mark("Colours: as the system"),
    "light": mark("Colours: light"),
    "dark": mark("Colours: dark"),
}

CLIENT_MESSAGES: Sequence[str] = (
    *MARK_WORDS.values(),
    *CAUSES.values(),
    *METHODS.values(),
    *DUPLEX.values(),
    *THEMES.values(),
    SINCE,
    COMMA,
    HARMED_CLASSES,
    HARMED_UPLINK,
    HARMED_BOTH,
    HARMED_OTHER,
    UNKNOWN_LINKS,
    ALL_LINKS,
    NO_LINKS,
    HARMED_SCHOOLS,
    UNKNOWN_SCHOOLS,
    ALL_SCHOOLS,
    NO_SCHOOLS,
    SECONDS_AGO,
    MINUTES_AGO,
    HOURS_AGO,
    DAYS_AGO,
    NEVER,
    ONLINE,
    OFFLINE,
    ANSWERS,
    SILENT,
    NOT_SEEN,
    BAD_SERIES,
    UNKNOWN_SERIES,
    LIVE,
    CONNECTING,
    LOST,
    SIGNED_OUT,
    ASKING,
    POLLED,
    POLL_FAILED,
    NO_ANSWER,
)


@dataclass(frozen=True, slots=True)
class Headline:
    """One sentence: what is, and the first thing to name. ``kind`` picks its mark."""

    kind: str
    main: str
    detail: str = ""


class Words:
    """Everything a template says about views, in one language, at one moment."""

    def __init__(self, language: Language, now: float) -> None:
        self.language = language
        self.now = now
        self._ = language.text

    # -- marks ------------------------------------------------------------------

    def mark_word(self, kind: str) -> str:
        """The word that goes with a mark."""
        return self._(MARK_WORDS[kind])

    # -- figures ----------------------------------------------------------------

    @staticmethod
    def speed(mbps: int | None) -> str:
        """``1 Gbit/s``, ``100 Mbit/s``; an en dash where it is unknown."""
        if mbps is None:
            return "–"
        if mbps >= MEGABITS_IN_GIGABIT:
            return f"{mbps / MEGABITS_IN_GIGABIT:g} Gbit/s"
        return f"{mbps} Mbit/s"

    def tier(self, tier: Tier) -> str:
        """What the links of a tier are called."""
        return self._(TIERS[tier][0])

    def promise(self, tier: Tier) -> str:
        """What is promised for a tier; empty where a profile alone says it."""
        promise = TIERS[tier][1]
        return self._(promise) if promise else ""

    def clock(self, at: float, *, seconds: bool = False) -> str:
        """``09:12`` today, ``11-21 09:12`` on another day; city time."""
        moment = datetime.fromtimestamp(at, ZONE)
        text = moment.strftime("%H:%M:%S" if seconds else "%H:%M")
        same_day = moment.date() == datetime.fromtimestamp(self.now, ZONE).date()
        return text if same_day else f"{moment:%m-%d} {text}"

    def since(self, at: float | None) -> str:
        """``since 09:12``; empty where it is unknown."""
        return "" if at is None else self._(SINCE, time=self.clock(at))

    def age(self, seconds: float | None) -> str:
        """``12 s ago``, in the largest unit that is at least one."""
        if seconds is None:
            return self._(NEVER)
        whole = max(0, int(seconds))
        for size, message in ((DAY, DAYS_AGO), (HOUR, HOURS_AGO), (MINUTE, MINUTES_AGO)):
            if whole >= size:
                return self._(message, n=whole // size)
        return self._(SECONDS_AGO, n=whole)

    def moment(self, age_seconds: float | None) -> str:
        """The moment an age points at, as the islands read it: epoch seconds, or empty."""
        return "" if age_seconds is None else f"{self.now - age_seconds:.1f}"

    # -- links ------------------------------------------------------------------

    def why(self, link: LinkView) -> str:
        """The first cause in words; empty where there is none."""
        if not link.causes:
            return ""
        return self._(
            CAUSES[link.causes[0]],
            speed=self.speed(link.negotiated_mbps),
            contract=self.speed(link.contract_mbps),
        )

    def advice(self, link: LinkView) -> str:
        """Where to look first; empty where nothing is wrong."""
        return self._(ADVICE[link.causes[0]]) if link.causes else ""

    def method(self, method: EvidenceMethod) -> str:
        """How evidence was come by."""
        return self._(METHODS[method])

    def duplex(self, value: str | None) -> str:
        """``full duplex``; an en dash where it is unknown."""
        return self._(DUPLEX[value]) if value in DUPLEX else "–"

    def online(self, board: BoardView) -> str:
        """A class board's state in one word."""
        if board.stale or board.online is None:
            return self._(NOT_SEEN)
        return self._(ONLINE if board.online else OFFLINE)

    def hears(self, agent: AgentView) -> str:
        """A gateway's state in one word."""
        if agent.last_report_age_seconds is None:
            return self._(NOT_SEEN)
        return self._(ONLINE if agent.online else SILENT)

    def answers(self, switch: SwitchView) -> str:
        """A switch's state in one word."""
        if switch.reachable is None:
            return self._(NOT_SEEN)
        return self._(ANSWERS if switch.reachable else SILENT)

    # -- sentences --------------------------------------------------------------

    def school_headline(self, links: Sequence[LinkView], worst: LinkView | None) -> Headline:
        """A school in one sentence, from its links; it names ``worst``, as the lists above do."""
        bad = worst_first(link for link in links if link.verdict is Verdict.BAD)
        unknown = worst_first(link for link in links if link.verdict is Verdict.UNKNOWN)
        if bad:
            named = worst if worst is not None and worst.verdict is Verdict.BAD else bad[0]
            return Headline(link_mark(named), self._harmed(bad, links), self._naming(named))
        if unknown:
            text = self._(UNKNOWN_LINKS, unknown=len(unknown), total=len(links))
            return Headline("unknown", text, self._naming(unknown[0]))
        if not links:
            return Headline("unknown", self._(NO_LINKS))
        kinds = {link_mark(link) for link in links}
        kind = next((k for k in ("stale", "unverified") if k in kinds), "ok")
        return Headline(kind, self._(ALL_LINKS, total=len(links)))

    def overview_headline(self, view: Overview, worst: SchoolView | None) -> Headline:
        """A city or district in one sentence, with the mark of its worst school."""
        values = {
            "total": view.schools_total,
            "good": view.schools_good,
            "bad": view.schools_bad,
            "unknown": view.schools_unknown,
        }
        if not view.schools_total:
            return Headline("unknown", self._(NO_SCHOOLS))
        if view.schools_bad:
            kind = "crit" if worst is None else school_mark(worst)
            return Headline(kind, self._(HARMED_SCHOOLS, **values))
        if view.schools_unknown:
            return Headline("unknown", self._(UNKNOWN_SCHOOLS, **values))
        unverified = any(tally.unverified for tally in view.tallies)
        return Headline("unverified" if unverified else "ok", self._(ALL_SCHOOLS, **values))

    def _harmed(self, bad: Sequence[LinkView], links: Sequence[LinkView]) -> str:
        classes = [link for link in links if link.tier is Tier.CLASS]
        bad_classes = sum(link.tier is Tier.CLASS for link in bad)
        bad_uplinks = sum(link.tier is Tier.UPLINK for link in bad)
        if bad_classes + bad_uplinks < len(bad):
            return self._(HARMED_OTHER, bad=len(bad), total=len(links))
        if not bad_uplinks:
            return self._(HARMED_CLASSES, bad=bad_classes, total=len(classes))
        if not bad_classes:
            return self._(HARMED_UPLINK)
        return self._(HARMED_BOTH, bad=bad_classes, total=len(classes))

    def _naming(self, link: LinkView) -> str:
        since = self.since(link.since)
        first = " ".join(part for part in (link.name, self.why(link)) if part)
        return f"{first}{self._(COMMA)}{since}" if since else first


def link_mark(link: LinkView) -> str:
    """Which mark a link wears. Stale is never good, unverified never plainly so."""
    if link.verdict is Verdict.UNKNOWN:
        return "unknown"
    if link.stale:
        return "stale"
    if link.verdict is Verdict.GOOD:
        return "ok" if link.verified else "unverified"
    return "crit" if link.severity is Severity.CRITICAL else "warn"


def school_mark(school: SchoolView) -> str:
    """Which mark a school wears."""
    if school.verdict is Verdict.BAD:
        return "crit" if school.severity is Severity.CRITICAL else "warn"
    if school.verdict is Verdict.UNKNOWN:
        return "unknown"
    return "unverified" if any(tally.unverified for tally in school.tallies) else "ok"


def tally_of(school: SchoolView, tier: str) -> Tally:
    """The school's tally of one tier, zeros where it has no such link."""
    found = (tally for tally in school.tallies if tally.tier.value == tier)
    return next(found, Tally(tier=Tier(tier)))


def board_mark(board: BoardView) -> str:
    """Which mark a class board wears."""
    if board.stale or board.online is None:
        return "unknown"
    return "ok" if board.online else "warn"


def switch_mark(switch: SwitchView) -> str:
    """Which mark a switch wears."""
    if switch.reachable is None:
        return "unknown"
    return "ok" if switch.reachable else "crit"


def agent_mark(agent: AgentView) -> str:
    """Which mark a gateway wears: one never heard of is unknown, a silent one is critical."""
    if agent.last_report_age_seconds is None:
        return "unknown"
    return "ok" if agent.online else "crit"


def worst_first(links: Iterable[LinkView]) -> list[LinkView]:
    """Most severe first, uplinks before classes, then by room as people count."""
    verdicts = {Verdict.BAD: 0, Verdict.UNKNOWN: 1, Verdict.GOOD: 2}
    return sorted(
        links,
        key=lambda link: (
            verdicts[link.verdict],
            -link.severity,
            link.tier is not Tier.UPLINK,
            natural(link.room or link.id),
            link.id,
        ),
    )


def natural(text: str) -> list[tuple[int, int | str]]:
    """A sort key that puts class 2-10 after class 2-9."""
    pieces: list[str] = re.findall(r"\d+|\D+", text)
    return [(0, int(piece)) if piece.isdecimal() else (1, piece) for piece in pieces]
