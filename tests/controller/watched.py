"""A school whose links are probed, fed by a UPS, watched by boards: live state in the hand."""

from dataclasses import replace
from typing import Any

from controller.plan import CityPlan, WitnessPlan
from controller.sla.class_minutes import Clause, MinuteProfile
from controller.sla.rules import LinkRules
from controller.sla.verdict import causes_of
from controller.state.live import LiveState
from controller.state.numbering import Numbering
from controller.store.protocols import NS
from tenone.blocks.block import Block
from tenone.blocks.layout import Layout
from tenone.vocabulary.body import UPS
from tenone.vocabulary.probes import DNS_SAMPLES, PROBE_SAMPLES
from tenone.vocabulary.states import Verdict

from .conftest import NOON_NS, FakeJournal, fed, small_city

EVERY = LinkRules(minute=MinuteProfile())
ANSWERED, LOST = 1, 2
MS = 1_000_000


def watched_city(rules: LinkRules = EVERY) -> CityPlan:
    """The small city, each link of no1 witnessed by a target of its own name."""
    plan = small_city()
    links = [
        replace(link, rules=rules, witness=WitnessPlan(target=f"t-{link.link}"))
        if link.school == "no1"
        else link
        for link in plan.links
    ]
    return fed(replace(plan, links=links), "u1", "u2")


class Bench:
    """Live state in which all ports are good."""

    def __init__(self, plan: CityPlan | None = None) -> None:
        self.now_ns = 100 * NS
        self.live = LiveState(Numbering(plan or watched_city()), now_ns=self.now_ns)
        self.journal = FakeJournal()
        self.live.agent_born("no1", "1", now_ns=self.now_ns)
        self.give(self.journal.ports())

    def give(self, block: Block, *, age: float = 0.0) -> None:
        self.live.apply(
            self.journal.arrival(
                block,
                received_ns=NOON_NS + self.now_ns,
                age_ns=round(age * NS),
                monotonic_ns=self.now_ns,
            )
        )

    def send(self, layout: Layout, subject: str, columns: dict[str, Any]) -> None:
        self.give(self.journal.block(layout, subject, columns))

    def probe(
        self, target: str, fates: list[int | None], delay_ms: list[float] | None = None
    ) -> None:
        """One window of one target."""
        count = len(fates)
        delays = delay_ms or [2.0] * count
        rows = tuple(f"{target}/{number}" for number in range(count))
        known = [fate == ANSWERED for fate in fates]
        self.send(
            Layout("probe-samples", PROBE_SAMPLES, rows),
            "no1/gateway/probe",
            {
                "probe_outcome": fates,
                "probe_away_ns": [
                    round((ms + 5) * MS) if yes else None
                    for ms, yes in zip(delays, known, strict=True)
                ],
                "probe_held_ns": [5 * MS if yes else None for yes in known],
                "probe_dscp_sent": [0] * count,
            },
        )

    def dns(self, **outcomes: int | None) -> None:
        rows = tuple(key.replace("__", "@") for key in outcomes)
        self.send(
            Layout("dns-samples", DNS_SAMPLES, rows),
            "no1/gateway/probe",
            {"dns_outcome": list(outcomes.values())},
        )

    def ups(self, serial: str, on_battery: int | None) -> None:
        self.send(Layout("ups", UPS, ("ups",)), f"no1/ups/{serial}", {"on_battery": [on_battery]})

    def keep_fresh(self) -> None:
        self.live.agent_heard("no1", now_ns=self.now_ns, offset_seconds=0.0)
        self.give(self.journal.ports())

    def judge(self) -> dict[str, tuple[str, list[str]]]:
        self.live.judge(now_ns=self.now_ns, wall_ns=NOON_NS + self.now_ns)
        links = self.live.links
        return {
            plan.link: (
                Verdict(int(links.verdict[number])).label,
                [cause.label for cause in causes_of(int(links.causes[number]))],
            )
            for number, plan in enumerate(self.live.numbering.links)
            if plan.school == "no1"
        }

    def number(self, link: str) -> int:
        return self.live.numbering.link_number[f"no1/{link}"]

    def clause(self, clause: Clause, link: str = "c301") -> Verdict:
        clauses = self.live.clauses(self.now_ns)
        return Verdict(int(clauses.verdicts[clause][self.number(link)]))
