"""Numbers for everything that has a row in live state.

Schools are numbered district by district, links, switches and boards school by school, so that
every scope is one contiguous range of each and a total is a sum over a slice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from controller.plan import CityPlan, DevicePlan, LinkPlan, SchoolPlan, SwitchPlan
from tenone.vocabulary.scope import DeviceKind, ScopePath, Slug
from tenone.vocabulary.states import Tier

Index = npt.NDArray[np.int32]
TIERS = tuple(Tier)
SHARED = frozenset({Tier.UPLINK, Tier.BACKBONE})
"""Tiers whose links carry others."""


@dataclass(frozen=True, slots=True)
class Span:
    """Ranges of a scope in every numbering, half open."""

    schools: range
    links: range
    switches: range
    boards: range


class Numbering:
    """Fixed for one configuration; made once at the start."""

    def __init__(self, plan: CityPlan) -> None:
        self.plan = plan
        self.city = ScopePath((Slug(plan.id),))
        order = {district.id: number for number, district in enumerate(plan.districts)}
        schools = sorted(plan.schools, key=lambda one: (order[one.district], one.id))
        self.schools: Sequence[SchoolPlan] = schools
        self.scopes = [plan.scope_of(school) for school in schools]
        self.school_number = {school.id: number for number, school in enumerate(schools)}
        number = self.school_number
        self.links: Sequence[LinkPlan] = sorted(
            plan.links,
            key=lambda one: (number[one.school], TIERS.index(one.tier), one.room or "", one.link),
        )
        self.switches: Sequence[SwitchPlan] = sorted(
            plan.switches, key=lambda one: (number[one.school], one.name)
        )
        boards = (one for one in plan.devices if one.kind == DeviceKind.BOARD)
        self.boards: Sequence[DevicePlan] = sorted(
            boards, key=lambda one: (number[one.school], one.serial)
        )
        self.link_number = {link.id: number for number, link in enumerate(self.links)}
        self.switch_number = {
            (switch.school, switch.name): number for number, switch in enumerate(self.switches)
        }
        self.board_number = {board.id: number for number, board in enumerate(self.boards)}
        self.boards_in: dict[tuple[str, str], list[int]] = {}
        """Boards by (school, room)."""
        for index, board in enumerate(self.boards):
            if board.room is not None:
                self.boards_in.setdefault((board.school, board.room), []).append(index)
        beside = [
            (number, board)
            for number, one in enumerate(self.links)
            if one.room is not None
            for board in self.boards_in.get((one.school, one.room), ())
        ]
        pairs = np.array(beside, np.int64).reshape(-1, 2)
        self.boards_beside = pairs[:, 0].copy(), pairs[:, 1].copy()
        """One row a (link, board of its room): two columns of numbers."""
        self.link_school = self._schools_of(self.links)
        self.switch_school = self._schools_of(self.switches)
        self.board_school = self._schools_of(self.boards)
        self.link_tier = np.array([TIERS.index(one.tier) for one in self.links], np.int32)
        self.link_switch = np.array(
            [self.switch_number.get((one.school, one.switch or ""), -1) for one in self.links],
            np.int32,
        )
        self._number_power()
        count = len(schools)
        self._links_from = _starts(self.link_school, count)
        self._switches_from = _starts(self.switch_school, count)
        self._boards_from = _starts(self.board_school, count)
        self._districts = self._district_ranges()

    def _number_power(self) -> None:
        """UPSes, and what they feed."""
        upses = (one for one in self.plan.devices if one.kind == DeviceKind.UPS)
        self.upses: Sequence[DevicePlan] = sorted(
            upses, key=lambda one: (self.school_number[one.school], one.serial)
        )
        self.ups_number = {(one.school, one.serial): at for at, one in enumerate(self.upses)}
        self.ups_school = self._schools_of(self.upses)
        feeding = [
            (number, self.ups_number[one.school, serial])
            for number, one in enumerate(self.links)
            if self.link_switch[number] >= 0
            for serial in self.switches[int(self.link_switch[number])].fed_by
            if (one.school, serial) in self.ups_number
        ]
        fed = np.array(feeding, np.int64).reshape(-1, 2)
        self.fed_by = fed[:, 0].copy(), fed[:, 1].copy()
        """One row a (link, UPS that feeds its switch): two columns of numbers."""

    def _schools_of(self, items: Sequence[LinkPlan | SwitchPlan | DevicePlan]) -> Index:
        return np.array([self.school_number[one.school] for one in items], np.int32)

    def _district_ranges(self) -> dict[ScopePath, range]:
        """Schools of every district, also of one that has none yet."""
        found: dict[ScopePath, range] = {}
        at = 0
        for district in self.plan.districts:
            stop = at + sum(1 for school in self.schools if school.district == district.id)
            found[self.city.child(district.id)] = range(at, stop)
            at = stop
        return found

    @property
    def districts(self) -> dict[ScopePath, range]:
        """Schools of every district, by its scope."""
        return self._districts

    def span(self, scope: ScopePath) -> Span:
        """What lies inside ``scope``; empty where there is no such scope."""
        return self.span_of(self._schools_in(scope))

    def span_of(self, schools: range) -> Span:
        """The ranges that belong to a range of schools."""
        first, last = schools.start, schools.stop
        return Span(
            schools=schools,
            links=range(self._links_from[first], self._links_from[last]),
            switches=range(self._switches_from[first], self._switches_from[last]),
            boards=range(self._boards_from[first], self._boards_from[last]),
        )

    def _schools_in(self, scope: ScopePath) -> range:
        if scope.covers(self.city):
            return range(len(self.schools))
        if not self.city.covers(scope):
            return range(0)
        if scope in self._districts:
            return self._districts[scope]
        number = self.school_number.get(scope.parts[2]) if len(scope.parts) == _SCHOOL else None
        if number is None or self.scopes[number] != scope:
            return range(0)
        return range(number, number + 1)


_SCHOOL = 3
"""Parts of a school's scope path: city, district, school."""


def _starts(school_of: Index, schools: int) -> list[int]:
    """Where each school's items begin in a numbering ordered by school; one more at the end."""
    counts = np.bincount(school_of, minlength=schools) if schools else np.zeros(0, np.int64)
    return [0, *accumulate(int(count) for count in counts)]
