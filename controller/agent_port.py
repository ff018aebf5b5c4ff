"""What a room asks of the schools' agents: :class:`controller.asking.Asking` fills it."""

from collections.abc import Mapping
from typing import Protocol

from drivers.wire.commands import Reply


class AskAgent(Protocol):
    """The way to the agents of a city."""

    async def ask(
        self,
        school: str,
        verb: str,
        arguments: Mapping[str, object],
        *,
        deadline_seconds: float,
    ) -> Reply:
        """The agent's last word.

        A failure where there is none: ``code`` is :data:`controller.ingest.commands.NO_ANSWER`,
        or :data:`controller.asking.NOT_THERE` where nothing was sent.
        """
        ...
