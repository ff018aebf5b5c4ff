"""All active probing of one agent, put together: one sender, the targets, the rounds, the verb."""

from collections.abc import Callable, Mapping
from typing import Final

from agents.commands import Code, CommandFailed, Verb
from agents.origin import Origin
from agents.ports import Keep
from agents.probe_blocks import layouts
from agents.probe_rounds import Rounds
from agents.prober import ProbeError, Prober
from drivers.probe.burst import PACKETS
from drivers.probe.sender import Sender
from tenone.blocks.layout import Layout
from tenone.config.probes import Probes
from tenone.runtime.supervisor import Supervisor

MOST_PACKETS: Final = 2000
"""What one command may ask for: 40 s at the burst's rate."""


class Probing:
    """Give it its tasks with :meth:`start`, close it after they have ended.

    Raises ``SecretError`` where a target's key cannot be read.
    """

    def __init__(
        self,
        probes: Probes,
        *,
        origin: Origin,
        keep: Keep,
        in_class: Callable[[int], bool] = lambda _wall_ns: True,
    ) -> None:
        self._sender = Sender(clock=origin.clock)
        self.prober = Prober(
            probes, origin=origin, keep=keep, sender=self._sender, in_class=in_class
        )
        self._rounds = Rounds(probes, origin=origin, keep=keep)
        self.layouts: list[Layout] = layouts(probes, self.prober.plan.rows)
        """The streams it makes: announced at birth, so that their blocks need no layout."""
        self.verbs: Mapping[str, Verb] = {"Burst": self._burst} if probes.targets else {}

    def start(self, tasks: Supervisor) -> None:
        """Begin; without anything to probe this does nothing."""
        self.prober.start(tasks)
        self._rounds.start(tasks)

    def close(self) -> None:
        """Close the sockets."""
        self._sender.close()

    async def _burst(self, arguments: Mapping[str, object]) -> str:
        """The verb ``Burst``: probe ``target`` quickly, all packets kept; ``dscp``, ``packets``."""
        target, dscp = arguments.get("target"), _number(arguments, "dscp", 63)
        packets = _number(arguments, "packets", MOST_PACKETS) or PACKETS
        if not isinstance(target, str):
            raise CommandFailed(Code.BAD_ARGUMENTS, "name the target: {'target': 'core'}")
        try:
            return await self.prober.burst_now(target, dscp=dscp, packets=packets)
        except ProbeError as error:
            raise CommandFailed(Code.FAILED, str(error)) from error


def _number(arguments: Mapping[str, object], name: str, most: int) -> int | None:
    value = arguments.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise CommandFailed(
            Code.BAD_ARGUMENTS, f"{name!r} must be a whole number from 0 to {most}, not {value!r}"
        )
    return value
