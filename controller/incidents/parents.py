"""Which things carry which: what lies behind a dead parent is its child's business no more.

A subject hangs on groups of carriers. It is cut off when *all* of one group are dead: a school
with two uplinks hangs on one group of two. What nobody knows a carrier of is taken as reachable,
so it alarms.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from controller.incidents.model import Kind, Subject
from controller.plan import CityPlan
from tenone.vocabulary.states import Tier

Groups = tuple[tuple[Subject, ...], ...]


class Parents(Protocol):
    """Knows what carries a subject."""

    def of(self, subject: Subject) -> Groups:
        """The groups ``subject`` hangs on, nearest first; empty where nothing is known."""
        ...

    def feeders(self, subject: Subject) -> Sequence[Subject]:
        """The powers that feed ``subject``, any of which may explain its silence; none of power."""
        ...

    def behind(self, subject: Subject) -> Sequence[str]:
        """Ids of all links that ``subject`` carries, itself included where it is a link."""
        ...


class PlanParents:
    """What the configuration says: a link hangs on its switch, a switch on the uplinks.

    The switch that carries an uplink does not hang on it. Which switch hangs on which other one
    the configuration does not say.
    """

    def __init__(self, plan: CityPlan) -> None:
        uplinks: dict[str, list[Subject]] = {}
        carrying: dict[str, set[str]] = {}
        for link in plan.links:
            if link.tier is Tier.UPLINK:
                uplinks.setdefault(link.school, []).append(Subject.link(link.id))
                if link.switch is not None:
                    carrying.setdefault(link.school, set()).add(link.switch)
        self._groups: dict[Subject, Groups] = {}
        self._behind: dict[Subject, list[str]] = {}
        for link in plan.links:
            self._place(link.school, link.id, link.switch, link.tier, uplinks)
        for switch in plan.switches:
            subject = Subject(switch.school, Kind.SWITCH, switch.name)
            own = tuple(sorted(uplinks.get(switch.school, ())))
            if own and switch.name not in carrying.get(switch.school, ()):
                self._groups[subject] = (own,)
        self._close()
        self._feed(plan, carrying)

    def _place(
        self,
        school: str,
        link_id: str,
        switch: str | None,
        tier: Tier,
        uplinks: Mapping[str, list[Subject]],
    ) -> None:
        subject = Subject.link(link_id)
        groups: list[tuple[Subject, ...]] = []
        if switch is not None:
            carrier = Subject(school, Kind.SWITCH, switch)
            groups.append((carrier,))
            self._behind.setdefault(carrier, []).append(link_id)
        if tier is not Tier.UPLINK and school in uplinks:
            groups.append(tuple(sorted(uplinks[school])))
        self._groups[subject] = tuple(groups)
        self._behind.setdefault(Subject.agent(school), []).append(link_id)
        self._behind.setdefault(subject, []).append(link_id)

    def _close(self) -> None:
        """A lone uplink, and the switch that carries it, carry the whole school."""
        schools = {s.school: ids for s, ids in self._behind.items() if s.kind is Kind.AGENT}
        for subject, groups in list(self._groups.items()):
            for group in groups:
                if len(group) == 1 and group[0].kind is Kind.LINK:
                    uplink = group[0]
                    self._behind[uplink] = schools[subject.school]
                    for carrier, *more in self._groups[uplink]:
                        if not more:
                            self._behind[carrier] = schools[subject.school]

    def _feed(self, plan: CityPlan, carrying: Mapping[str, set[str]]) -> None:
        """What feeds a switch feeds its links; what feeds an uplink's switch, the gateway."""
        self._feeders: dict[Subject, tuple[Subject, ...]] = {}
        for switch in plan.switches:
            subject = Subject(switch.school, Kind.SWITCH, switch.name)
            fed_by = tuple(Subject.power(switch.school, one) for one in sorted(switch.fed_by))
            self._feeders[subject] = fed_by
            if switch.name in carrying.get(switch.school, ()):
                agent = Subject.agent(switch.school)
                others = self._feeders.get(agent, ())
                self._feeders[agent] = tuple(sorted({*others, *fed_by}))
            for power in fed_by:
                behind = self._behind.setdefault(power, [])
                behind += [one for one in self._behind.get(subject, ()) if one not in behind]
        for link in plan.links:
            if link.switch is not None:
                switch_of = Subject(link.school, Kind.SWITCH, link.switch)
                self._feeders[Subject.link(link.id)] = self._feeders.get(switch_of, ())

    def of(self, subject: Subject) -> Groups:
        """See :class:`Parents`."""
        return self._groups.get(subject, ())

    def feeders(self, subject: Subject) -> Sequence[Subject]:
        """See :class:`Parents`."""
        return self._feeders.get(subject, ())

    def behind(self, subject: Subject) -> Sequence[str]:
        """See :class:`Parents`."""
        return self._behind.get(subject, ())
