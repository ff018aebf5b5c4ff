"""A small, deterministic city in memory: every state a screen must show, and no network.

Schools: no1 all good and proved; no3 two classes harmed; no5 uplink down; no6 silent agent;
no7 good but unverified; no8 nothing bound yet; evil has hostile names; no12 is large.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from controller.arrays import F64
from controller.encode import link_json, overview_json, school_json
from controller.views import (
    AgentView,
    Binding,
    BoardView,
    Change,
    Evidence,
    LinkFigures,
    LinkView,
    Overview,
    SchoolName,
    SchoolView,
    SwitchView,
    Tally,
)
from tenone.vocabulary.scope import ScopePath
from tenone.vocabulary.states import Cause, EvidenceMethod, Severity, Tier, Verdict

EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"
CITY = "binhai"
DISTRICTS = {"east": "东城区", "west": "西海区", "north": "Northern New Area"}
CHINESE = {"north": "北部新区", "no7": "第七中学"}
"""``name_zh`` of what is not named in Chinese already, where there is one."""


@dataclass(slots=True)
class FakeSchool:
    id: str
    name: str
    district: str
    agent: AgentView
    links: dict[str, LinkView] = field(default_factory=dict)
    switches: list[SwitchView] = field(default_factory=list)

    @property
    def scope(self) -> ScopePath:
        return ScopePath.parse(f"{CITY}/{self.district}/{self.id}")


class FakeCity:
    """Implements :class:`controller.views.City` from plain dictionaries."""

    def __init__(self, *, now: float) -> None:
        self.now = now
        self.schools_by_id: dict[str, FakeSchool] = {}
        self.renamed: dict[str, str] = dict(DISTRICTS)

    # -- City -------------------------------------------------------------------

    def overview(self, scope: ScopePath) -> Overview:
        views = self.schools(scope)
        ages = [
            view.agent.last_report_age_seconds
            for view in views
            if view.agent.last_report_age_seconds is not None
        ]
        return Overview(
            scope=scope,
            name=self._name(scope),
            name_zh=CHINESE.get(scope.parts[-1]) if scope.parts else None,
            schools_total=len(views),
            schools_reporting=sum(view.agent.online for view in views),
            schools_good=sum(view.verdict is Verdict.GOOD for view in views),
            schools_unverified=sum(
                view.verdict is Verdict.GOOD and any(tally.unverified for tally in view.tallies)
                for view in views
            ),
            schools_bad=sum(view.verdict is Verdict.BAD for view in views),
            schools_unknown=sum(view.verdict is Verdict.UNKNOWN for view in views),
            tallies=[_tally(tier, self.links(scope)) for tier in (Tier.UPLINK, Tier.CLASS)],
            boards_online=sum(view.boards_online for view in views),
            boards_total=sum(view.boards_total for view in views),
            data_age_seconds=min(ages, default=None),
            made_at=self.now,
        )

    def districts(self, scope: ScopePath) -> Sequence[Overview]:
        paths = (ScopePath.parse(f"{CITY}/{slug}") for slug in DISTRICTS)
        return [self.overview(path) for path in paths if scope.covers(path)]

    def schools(self, scope: ScopePath) -> Sequence[SchoolView]:
        views = [self._school(s) for s in self.schools_by_id.values() if scope.covers(s.scope)]
        order = {Verdict.BAD: 0, Verdict.UNKNOWN: 1, Verdict.GOOD: 2}
        return sorted(views, key=lambda v: (order[v.verdict], -v.severity, v.name))

    def school_scopes(self, scope: ScopePath) -> Sequence[ScopePath]:
        return [view.scope for view in self.schools_by_id.values() if scope.covers(view.scope)]

    def school_names(self, scope: ScopePath) -> Sequence[SchoolName]:
        return [
            SchoolName(one.id, one.scope, one.name, CHINESE.get(one.id))
            for one in self.schools_by_id.values()
            if scope.covers(one.scope)
        ]

    def agent_ages(self, scope: ScopePath) -> Mapping[str, float | None]:
        return {view.id: view.agent.last_report_age_seconds for view in self.schools(scope)}

    def figures(self, scope: ScopePath, *, good: bool) -> LinkFigures:
        chosen = [one for one in self.links(scope) if good or one.verdict is not Verdict.GOOD]

        def column(value_of: Callable[[LinkView], float | None]) -> F64:
            return np.array([value_of(one) for one in chosen], np.float64)

        def ages(one: LinkView) -> float | None:
            return min((item.age_seconds for item in one.evidence), default=None)

        measured = (
            *("utilisation_in_ratio", "utilisation_out_ratio", "error_ratio", "discard_ratio"),
            *("loss_ratio", "rtt_seconds", "jitter_seconds"),
        )
        return LinkFigures(
            labels=[
                (self.schools_by_id[one.school].scope.parts[1], one.school, one.id, one.tier.value)
                for one in chosen
            ],
            columns={
                "verdict": column(lambda one: one.verdict.value),
                "contract_mbps": column(lambda one: one.contract_mbps),
                "negotiated_mbps": column(lambda one: one.negotiated_mbps),
                "evidence_age_seconds": column(ages),
            }
            | {name: column(lambda v: getattr(v.measured, name)) for name in measured},  # noqa: B023 - used at once
        )

    def links(self, scope: ScopePath) -> Sequence[LinkView]:
        found = [
            link
            for school in self.schools_by_id.values()
            if scope.covers(school.scope)
            for link in school.links.values()
        ]
        return sorted(found, key=lambda v: (v.tier is not Tier.UPLINK, v.room or "", v.id))

    def link(self, link_id: str) -> tuple[ScopePath, LinkView] | None:
        school = self.schools_by_id.get(link_id.partition("/")[0])
        if school is None or link_id not in school.links:
            return None
        return school.scope, school.links[link_id]

    def switches(self, scope: ScopePath) -> Sequence[SwitchView]:
        inside = (s for s in self.schools_by_id.values() if scope.covers(s.scope))
        return [switch for school in inside for switch in school.switches]

    def boards(self, scope: ScopePath) -> Sequence[BoardView]:
        return [board for link in self.links(scope) for board in link.boards]

    def scope_of_school(self, school: str) -> ScopePath | None:
        found = self.schools_by_id.get(school)
        return None if found is None else found.scope

    # -- what a test does to it -------------------------------------------------

    def set_link(self, link_id: str, **changes: object) -> list[Change]:
        """Change one link; returns the changes the state room would publish."""
        school = self.schools_by_id[link_id.partition("/")[0]]
        link = replace(school.links[link_id], **changes)  # type: ignore[arg-type]  # a test names real fields
        school.links[link_id] = link
        return [
            Change(scope=school.scope, kind="link", id=link_id, body=link_json(link)),
            *self.changes_above(school),
        ]

    def set_agent(self, school_id: str, **changes: object) -> list[Change]:
        school = self.schools_by_id[school_id]
        school.agent = replace(school.agent, **changes)  # type: ignore[arg-type]  # a test names real fields
        return self.changes_above(school)

    def changes_above(self, school: FakeSchool) -> list[Change]:
        city = ScopePath.parse(CITY)
        district = city.child(school.district)
        return [
            Change(
                scope=school.scope,
                kind="school",
                id=school.id,
                body=school_json(self._school(school)),
            ),
            *(
                Change(
                    scope=scope,
                    kind="overview",
                    id=str(scope),
                    body=overview_json(self.overview(scope)),
                )
                for scope in (district, city, ScopePath())
            ),
        ]

    def add(self, school: FakeSchool, links: Iterable[LinkView] = ()) -> FakeSchool:
        self.schools_by_id[school.id] = school
        school.links.update({link.id: link for link in links})
        return school

    # -- inside -----------------------------------------------------------------

    def _name(self, scope: ScopePath) -> str:
        match scope.parts:
            case [] | [_]:
                return "滨海市"
            case [_, district]:
                return self.renamed.get(district, district)
            case [_, _, school, *_]:
                return self.schools_by_id[school].name
            case _:  # pragma: no cover - the cases above are all there are
                raise AssertionError(scope)

    def _school(self, school: FakeSchool) -> SchoolView:
        links = list(school.links.values())
        bad = [link for link in links if link.verdict is Verdict.BAD]
        unknown = [link for link in links if link.verdict is Verdict.UNKNOWN]
        bad.sort(key=lambda link: (-link.severity, link.tier is not Tier.UPLINK, link.since or 0))
        worst = next(iter(bad or unknown), None)
        verdict = Verdict.BAD if bad else Verdict.GOOD if links and not unknown else Verdict.UNKNOWN
        boards = [board for link in links for board in link.boards]
        return SchoolView(
            id=school.id,
            name=school.name,
            name_zh=CHINESE.get(school.id),
            district=school.district,
            scope=school.scope,
            verdict=verdict,
            severity=max((link.severity for link in bad), default=Severity.NONE),
            tallies=[_tally(tier, links) for tier in (Tier.UPLINK, Tier.CLASS)],
            worst=worst,
            agent=school.agent,
            boards_online=sum(board.online is True and not board.stale for board in boards),
            boards_total=len(boards),
            since=None if worst is None else worst.since,
        )


def _tally(tier: Tier, links: Iterable[LinkView]) -> Tally:
    mine = [link for link in links if link.tier is tier]
    good = [link for link in mine if link.verdict is Verdict.GOOD]
    return Tally(
        tier=tier,
        good=len(good),
        bad=sum(link.verdict is Verdict.BAD for link in mine),
        unknown=sum(link.verdict is Verdict.UNKNOWN for link in mine),
        unverified=sum(not link.verified for link in good),
    )


def board(school: str, serial: str, now: float, **changes: object) -> BoardView:
    view = BoardView(
        id=f"{school}/board/{serial}",
        name=f"班牌 {serial}",
        room=serial.removeprefix("b-"),
        online=True,
        screen_on=True,
        app="timetable",
        firmware="4.2.1",
        cpu_ratio=0.23,
        temperature_celsius=41.5,
        rssi_dbm=None,
        since=now - 7200,
        age_seconds=6.0,
        stale=False,
    )
    return replace(view, **changes)  # type: ignore[arg-type]  # a test names real fields


def link(school: str, slug: str, name: str, now: float, **changes: object) -> LinkView:
    """A good, negotiated and probed link; change what the case needs."""
    tier = Tier.UPLINK if slug.startswith("uplink") else Tier.CLASS
    contract = 10_000 if tier is Tier.UPLINK else 1_000
    view = LinkView(
        id=f"{school}/{slug}",
        school=school,
        name=name,
        tier=tier,
        room=None if tier is Tier.UPLINK else slug,
        contract_mbps=contract,
        negotiated_mbps=contract,
        duplex="full",
        oper="up",
        admin="up",
        verdict=Verdict.GOOD,
        severity=Severity.NONE,
        causes=(),
        since=now - 3 * 3600,
        coverage=0.999,
        evidence=(
            Evidence(method=EvidenceMethod.NEGOTIATED, age_seconds=4.0),
            Evidence(method=EvidenceMethod.PROBED, age_seconds=12.0),
        ),
        binding=Binding(
            switch="core-1" if tier is Tier.UPLINK else "acc-2",
            port="XGigabitEthernet0/0/1" if tier is Tier.UPLINK else f"GE0/0/{hash_of(slug)}",
            valid_from=now - 86400 * 20,
        ),
        stale=False,
        verified=True,
        boards=(),
    )
    return replace(view, **changes)  # type: ignore[arg-type]  # a test names real fields


def hash_of(text: str) -> int:
    """A stable port number 1..48 from a slug."""
    return sum(text.encode()) % 48 + 1


def agent(school: str, **changes: object) -> AgentView:
    view = AgentView(
        school=school,
        online=True,
        version="0.1.0",
        last_report_age_seconds=4.0,
        outbox_bytes=20_480,
        outbox_blocks=12,
        quarantined_total=0,
    )
    return replace(view, **changes)  # type: ignore[arg-type]  # a test names real fields


def switch(school: str, name: str, **changes: object) -> SwitchView:
    view = SwitchView(
        id=f"{school}/switch/{name}",
        name=name,
        reachable=True,
        poll_error="",
        descr="S5735-L48T4X-A Versatile Routing Platform",
        uptime_seconds=86400 * 41.3,
        age_seconds=4.0,
    )
    return replace(view, **changes)  # type: ignore[arg-type]  # a test names real fields


NEGOTIATED = (Evidence(method=EvidenceMethod.NEGOTIATED, age_seconds=4.0),)
OLD = (Evidence(method=EvidenceMethod.NEGOTIATED, age_seconds=1_260.0),)


def small_city(now: float) -> FakeCity:
    """The city all API and page tests look at."""
    city = FakeCity(now=now)

    def classes(school: str, count: int, **changes: object) -> list[LinkView]:
        grades = [(grade, number) for grade in range(1, 7) for number in range(1, 9)]
        return [
            link(
                school,
                f"c-{grade}-{number}",
                f"{grade}年{number}班",
                now,
                boards=(board(school, f"b-{grade}-{number}", now),),
                **changes,
            )
            for grade, number in grades[:count]
        ]

    no1 = FakeSchool("no1", "第一小学", "east", agent("no1"))
    no1.switches = [switch("no1", "core-1"), switch("no1", "acc-2")]
    city.add(no1, [link("no1", "uplink", "上联", now), *classes("no1", 6)])
    _harmed(city, classes("no3", 18), now)

    no5 = FakeSchool("no5", "海滨第五实验小学", "west", agent("no5"))
    no5.switches = [switch("no5", "core-1"), switch("no5", "acc-2")]
    uplink = link(
        "no5",
        "uplink",
        "上联",
        now,
        oper="down",
        negotiated_mbps=None,
        duplex=None,
        verdict=Verdict.BAD,
        severity=Severity.CRITICAL,
        causes=(Cause.LINK_DOWN,),
        since=now - 11 * 60,
        evidence=NEGOTIATED,
        verified=False,
    )
    city.add(no5, [uplink, *classes("no5", 5)])

    silent = agent("no6", online=False, last_report_age_seconds=1_260.0, outbox_bytes=None)
    no6 = FakeSchool("no6", "第六中学", "west", silent)
    no6.switches = [switch("no6", "core-1", reachable=None, age_seconds=1_260.0)]
    grey: dict[str, object] = {
        "verdict": Verdict.UNKNOWN,
        "causes": (Cause.AGENT_SILENT,),
        "since": now - 1_200,
        "stale": True,
        "evidence": OLD,
        "verified": False,
    }
    quiet = [
        replace(
            view, boards=tuple(replace(b, stale=True, age_seconds=1_260.0) for b in view.boards)
        )
        for view in classes("no6", 4, **grey)
    ]
    city.add(no6, [link("no6", "uplink", "上联", now, **grey), *quiet])

    no7 = FakeSchool("no7", "Seventh Middle School", "north", agent("no7"))
    no7.switches = [switch("no7", "core-1")]
    plain: dict[str, object] = {"evidence": NEGOTIATED, "verified": False}
    city.add(no7, [link("no7", "uplink", "上联", now, **plain), *classes("no7", 4, **plain)])

    never = agent("no8", online=False, last_report_age_seconds=None, version="")
    city.add(FakeSchool("no8", "新城第八小学", "north", never))

    evil = FakeSchool("evil", f"{EVIL} School", "north", agent("evil"))
    evil.switches = [switch("evil", EVIL, descr=EVIL, poll_error=EVIL, reachable=False)]
    wicked = link(
        "evil",
        "c-1-1",
        f"{EVIL} Class",
        now,
        binding=Binding(switch=EVIL, port=EVIL, valid_from=now - 60),
        boards=(board("evil", "b-1-1", now, name=EVIL, app=EVIL, firmware=EVIL),),
    )
    city.add(evil, [wicked])

    no12 = FakeSchool("no12", "第十二中学（高中部）", "east", agent("no12"))
    no12.switches = [switch("no12", f"acc-{n}") for n in range(1, 7)]
    city.add(no12, [link("no12", "uplink", "上联", now), *classes("no12", 40)])
    return city


def _harmed(city: FakeCity, links: list[LinkView], now: float) -> None:
    """School no3: one class slow, one half duplex, one moved to a silent switch, boards off."""
    no3 = FakeSchool("no3", "第三小学", "east", agent("no3"))
    no3.switches = [
        switch("no3", "core-1"),
        switch("no3", "acc-2"),
        switch(
            "no3",
            "acc-3",
            reachable=False,
            poll_error="no answer from 10.3.0.13:161 within 2.0 s x 3",
            age_seconds=95.0,
        ),
    ]
    slow, half, lost = links[17], links[4], links[7]
    links[17] = replace(
        slow,
        negotiated_mbps=100,
        verdict=Verdict.BAD,
        severity=Severity.WARNING,
        causes=(Cause.SPEED,),
        since=now - 3_120,
        boards=(
            board("no3", "b-3-2", now, online=False, since=now - 3_000, app=None, screen_on=None),
        ),
    )
    links[4] = replace(
        half,
        duplex="half",
        verdict=Verdict.BAD,
        severity=Severity.WARNING,
        causes=(Cause.DUPLEX,),
        since=now - 540,
        evidence=NEGOTIATED,
        verified=False,
    )
    links[7] = replace(
        lost,
        verdict=Verdict.UNKNOWN,
        causes=(Cause.SWITCH_SILENT,),
        since=now - 95,
        stale=True,
        negotiated_mbps=None,
        duplex=None,
        oper=None,
        evidence=(Evidence(method=EvidenceMethod.NEGOTIATED, age_seconds=95.0),),
        verified=False,
    )
    city.add(no3, [link("no3", "uplink", "上联", now, evidence=NEGOTIATED, verified=False), *links])
