"""Requests to agents: see :class:`controller.api.services.Actions`."""

import asyncio
from collections.abc import Callable, Mapping

from controller.api.services import ActionReply
from controller.ingest.commands import NO_ANSWER, CommandDesk
from controller.ingest.link import HostLink
from controller.plan import CityPlan
from drivers.wire.commands import CommandState, Reply
from drivers.wire.topics import NodeId
from tenone.vocabulary.scope import DeviceKind, ScopePath

POLL_DEADLINE_SECONDS = 10.0
NOT_THERE = -2
"""``code`` of a reply to what was never sent."""


class Asking:
    """The way to the agents of a city."""

    def __init__(
        self,
        *,
        plan: CityPlan,
        desk: CommandDesk,
        link: HostLink,
        scope_of_school: Callable[[str], ScopePath | None],
    ) -> None:
        self._plan = plan
        self._desk = desk
        self._link = link
        self._scope_of_school = scope_of_school

    async def ask(
        self,
        school: str,
        verb: str,
        arguments: Mapping[str, object],
        *,
        deadline_seconds: float,
    ) -> Reply:
        """Ask a school's agent; a silent one and an unknown school are a failure as well."""
        scope = self._scope_of_school(school)
        node = None if scope is None else NodeId(scope.parts[1], scope.parts[2])
        if node is None or node not in self._link.nodes:
            return Reply(
                verb=verb,
                id="-",
                state=CommandState.FAILED,
                code=NOT_THERE,
                message=f"The agent of {school} is not connected, so it cannot be asked.",
            )
        return await self._desk.ask(node, verb, arguments, deadline_seconds=deadline_seconds)

    async def poll_now(self, school: str, switch: str | None) -> ActionReply:
        """See :class:`controller.api.services.Actions`."""
        scope = self._scope_of_school(school)
        if scope is None:
            return ActionReply(
                state="failed", code="unknown-school", message=f"There is no school {school!r}."
            )
        node = NodeId(scope.parts[1], scope.parts[2])
        if node not in self._link.nodes:
            return ActionReply(
                state="failed",
                code="agent-silent",
                message=f"The agent of {school} is not connected, so it cannot be asked.",
            )
        names = [one.name for one in self._plan.switches if one.school == school]
        if switch is not None and switch not in names and switch not in self._upses(school):
            return ActionReply(
                state="failed",
                code="unknown-switch",
                message=f"School {school} has no switch {switch!r}.",
            )
        asked = names if switch is None else [switch]
        replies = await asyncio.gather(
            *(
                self._desk.ask(
                    node, "Poll", {"switch": name}, deadline_seconds=POLL_DEADLINE_SECONDS
                )
                for name in asked
            )
        )
        worst = max(replies, key=lambda reply: reply.state is CommandState.FAILED)
        code = {0: "", NO_ANSWER: "no-answer"}.get(worst.code, f"agent-{worst.code}")
        message = "; ".join(reply.message for reply in replies if reply.state is worst.state)
        return ActionReply(state=worst.state.value, code=code, message=message)

    def _upses(self, school: str) -> list[str]:
        devices = (one for one in self._plan.devices if one.school == school)
        return [f"{one.kind}/{one.serial}" for one in devices if one.kind == DeviceKind.UPS]
