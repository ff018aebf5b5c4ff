"""What the pages say: marks, speeds, moments and sentences, in one language.

``static/islands/words.js`` and ``headline.js`` say the same in the browser when a cell
changes; a browser test holds the two to each other.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from controller.sla.class_minutes import Tally as MinuteTally
from controller.views import AgentView, BoardView, LinkView, Overview, SchoolView, SwitchView, Tally
from dashboards.ops import phrases as p
from dashboards.ops.language import Language, Named
from tenone.vocabulary.states import Cause, EvidenceMethod, Severity, Tier, Verdict

ZONE = ZoneInfo("Asia/Shanghai")
MINUTE = 60
HOUR = 3600
DAY = 86400
MEGABITS_IN_GIGABIT = 1000


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

    def name(self, view: Named) -> str:
        """What a city, district or school is called here."""
        return self.language.name_of(view)

    # -- marks ------------------------------------------------------------------

    def mark_word(self, kind: str) -> str:
        """The word that goes with a mark."""
        return self._(p.MARK_WORDS[kind])

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
        return self._(p.TIERS[tier][0])

    def promise(self, tier: Tier) -> str:
        """What is promised for a tier; empty where a profile alone says it."""
        promise = p.TIERS[tier][1]
        return self._(promise) if promise else ""

    def clock(self, at: float, *, seconds: bool = False) -> str:
        """``09:12`` today, ``11-21 09:12`` on another day; city time."""
        moment = datetime.fromtimestamp(at, ZONE)
        text = moment.strftime("%H:%M:%S" if seconds else "%H:%M")
        same_day = moment.date() == datetime.fromtimestamp(self.now, ZONE).date()
        return text if same_day else f"{moment:%m-%d} {text}"

    def since(self, at: float | None) -> str:
        """``since 09:12``; empty where it is unknown."""
        return "" if at is None else self._(p.SINCE, time=self.clock(at))

    def age(self, seconds: float | None) -> str:
        """``12 s ago``, in the largest unit that is at least one."""
        if seconds is None:
            return self._(p.NEVER)
        whole = max(0, int(seconds))
        for size, message in ((DAY, p.DAYS_AGO), (HOUR, p.HOURS_AGO), (MINUTE, p.MINUTES_AGO)):
            if whole >= size:
                return self._(message, n=whole // size)
        return self._(p.SECONDS_AGO, n=whole)

    def moment(self, age_seconds: float | None) -> str:
        """The moment an age points at, as the islands read it: epoch seconds, or empty."""
        return "" if age_seconds is None else f"{self.now - age_seconds:.1f}"

    # -- links ------------------------------------------------------------------

    def why(self, link: LinkView) -> str:
        """The first cause in words; empty where there is none."""
        return self._cause(link, link.causes[0]) if link.causes else ""

    def whys(self, link: LinkView) -> str:
        """All causes in words, the first to name first."""
        return self._(p.COMMA).join(self._cause(link, cause) for cause in link.causes)

    def _cause(self, link: LinkView, cause: Cause) -> str:
        return self._(
            p.CAUSES[cause],
            speed=self.speed(link.negotiated_mbps),
            contract=self.speed(link.contract_mbps),
        )

    def minute_causes(self, tally: MinuteTally) -> list[tuple[str, str, int]]:
        """What the bad class-minutes are put down to: words, share, minutes; most first.

        The shares add up to 100.0 % to the last digit.
        """
        tenths = tally.cause_tenths()
        ordered = sorted(tally.bad_by_cause.items(), key=lambda item: (-item[1], item[0]))
        return [
            (self._(p.MINUTE_CAUSES[cause]), f"{tenths[cause] / 10:.1f} %", count)
            for cause, count in ordered
            if count
        ]

    @staticmethod
    def percent(ratio: float | Fraction | None) -> str:
        """A share in percent, cut to two digits: 99.999 % must not read as 100 %."""
        if ratio is None:
            return "–"
        hundredths = int(Fraction(ratio) * 10_000)
        return f"{hundredths // 100}.{hundredths % 100:02d} %"

    def advice(self, link: LinkView) -> str:
        """Where to look first; empty where nothing is wrong."""
        return self._(p.ADVICE[link.causes[0]]) if link.causes else ""

    def method(self, method: EvidenceMethod) -> str:
        """How evidence was come by."""
        return self._(p.METHODS[method])

    def duplex(self, value: str | None) -> str:
        """``full duplex``; an en dash where it is unknown."""
        return self._(p.DUPLEX[value]) if value in p.DUPLEX else "–"

    def oper(self, value: str | None) -> str:
        """Whether the port has a link, by ifOperStatus; an en dash where it is unknown."""
        return self._(p.OPER[value]) if value in p.OPER else "–"

    def admin(self, value: str | None) -> str:
        """Whether the port is switched on, by ifAdminStatus; an en dash where it is unknown."""
        return self._(p.ADMIN[value]) if value in p.ADMIN else "–"

    def online(self, board: BoardView) -> str:
        """A class board's state in one word."""
        if board.stale or board.online is None:
            return self._(p.NOT_SEEN)
        return self._(p.ONLINE if board.online else p.OFFLINE)

    def hears(self, agent: AgentView) -> str:
        """A gateway's state in one word."""
        if agent.last_report_age_seconds is None:
            return self._(p.NOT_SEEN)
        return self._(p.ONLINE if agent.online else p.SILENT)

    def answers(self, switch: SwitchView) -> str:
        """A switch's state in one word."""
        if switch.reachable is None:
            return self._(p.NOT_SEEN)
        return self._(p.ANSWERS if switch.reachable else p.SILENT)

    def poll_cause(self, switch: SwitchView) -> str:
        """What a failed sweep means, in the page's language; the agent's own words are English."""
        if not switch.poll_error:
            return ""
        return self._(p.HALF_READ if switch.reachable else p.NOT_READ)

    def schools_good(self, view: Overview) -> str:
        """What follows the number of good schools."""
        if not view.schools_unverified:
            return self._(p.SCHOOLS_GOOD)
        return self._(p.SCHOOLS_UNPROVED, n=view.schools_unverified)

    # -- sentences --------------------------------------------------------------

    def school_headline(self, links: Sequence[LinkView], worst: LinkView | None) -> Headline:
        """A school in one sentence, from its links; it names ``worst``, as the lists above do."""
        bad = worst_first(link for link in links if link.verdict is Verdict.BAD)
        unknown = worst_first(link for link in links if link.verdict is Verdict.UNKNOWN)
        if bad:
            named = worst if worst is not None and worst.verdict is Verdict.BAD else bad[0]
            return Headline(link_mark(named), self._harmed(bad, links), self._naming(named))
        if unknown:
            text = self._(p.UNKNOWN_LINKS, unknown=len(unknown), total=len(links))
            return Headline("unknown", text, self._naming(unknown[0]))
        if not links:
            return Headline("unknown", self._(p.NO_LINKS))
        return self._all_good(links)

    def overview_headline(self, view: Overview, worst: SchoolView | None) -> Headline:
        """A city or district in one sentence, with the mark of its worst school."""
        proved = sum(tally.good - tally.unverified for tally in view.tallies)
        values = {
            "total": view.schools_total,
            "good": view.schools_good,
            "bad": view.schools_bad,
            "unknown": view.schools_unknown,
            "unverified": view.schools_unverified,
            "verified": view.schools_good - view.schools_unverified,
        }
        if not view.schools_total:
            return Headline("unknown", self._(p.NO_SCHOOLS))
        if view.schools_bad:
            kind = "crit" if worst is None else school_mark(worst)
            return Headline(kind, self._(p.HARMED_SCHOOLS, **values))
        if view.schools_unknown:
            message = p.UNSURE_SCHOOLS if view.schools_unverified else p.UNKNOWN_SCHOOLS
            return Headline("unknown", self._(message, **values))
        if not view.schools_unverified:
            return Headline("ok", self._(p.ALL_SCHOOLS, **values))
        message = p.PARTLY_SCHOOLS if proved else p.NEGOTIATED_SCHOOLS
        return Headline("unverified", self._(message, **values))

    def _all_good(self, links: Sequence[LinkView]) -> Headline:
        """What is good by negotiation only is never said to hold the promise."""
        kinds = [link_mark(link) for link in links]
        values = {
            "total": len(links),
            "stale": kinds.count("stale"),
            "unverified": kinds.count("unverified"),
            "verified": kinds.count("ok"),
        }
        if values["stale"]:
            return Headline("stale", self._(p.STALE_LINKS, **values))
        if not values["unverified"]:
            return Headline("ok", self._(p.ALL_LINKS, **values))
        message = p.PARTLY_LINKS if values["verified"] else p.NEGOTIATED_LINKS
        return Headline("unverified", self._(message, **values))

    def _harmed(self, bad: Sequence[LinkView], links: Sequence[LinkView]) -> str:
        classes = [link for link in links if link.tier is Tier.CLASS]
        bad_classes = sum(link.tier is Tier.CLASS for link in bad)
        bad_uplinks = sum(link.tier is Tier.UPLINK for link in bad)
        if bad_classes + bad_uplinks < len(bad):
            return self._(p.HARMED_OTHER, bad=len(bad), total=len(links))
        if not bad_uplinks:
            return self._(p.HARMED_CLASSES, bad=bad_classes, total=len(classes))
        if not bad_classes:
            return self._(p.HARMED_UPLINK)
        return self._(p.HARMED_BOTH, bad=bad_classes, total=len(classes))

    def _naming(self, link: LinkView) -> str:
        since = self.since(link.since)
        first = " ".join(part for part in (link.name, self.why(link)) if part)
        return f"{first}{self._(p.COMMA)}{since}" if since else first


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
