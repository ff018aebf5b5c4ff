"""Quick probing for a while: what tells 1 % of loss from 3 % where a packet now and then cannot.

2 % showed itself as anything from 5 to 19 lost of 250 on a wire that kept its own record; about a
thousand packets decide.
"""

from typing import Final, Protocol

from drivers.probe.sender import LATE_NS, Sample, Session
from tenone.runtime.clock import Clock

PACKETS: Final = 1000
A_SECOND: Final = 50.0
SETTLED_SECONDS: Final = LATE_NS / 1e9 + 0.05
LOOK_SECONDS: Final = 0.25


class PacketSender(Protocol):
    """:class:`drivers.probe.sender.Sender`."""

    refusal: str

    def send(self, session: Session) -> Sample:
        """Send the session's next packet; what cannot be sent says so."""
        ...

    def settle(self) -> None:
        """Give up what is late: it is lost."""
        ...


async def burst(
    sender: PacketSender,
    session: Session,
    *,
    clock: Clock,
    packets: int = PACKETS,
    a_second: float = A_SECOND,
) -> list[Sample]:
    """Send evenly, wait for the last answer, and return every packet with its outcome.

    A slot that passes while this process is busy is sent late, not left out: how many packets a
    decision rests on is asked for. The rate is never made good by sending faster.
    """
    samples: list[Sample] = []
    due_ns = clock.monotonic_ns()
    for _ in range(packets):
        samples.append(sender.send(session))
        due_ns = max(due_ns + round(1e9 / a_second), clock.monotonic_ns())
        await clock.sleep((due_ns - clock.monotonic_ns()) / 1e9)
    give_up_ns = clock.monotonic_ns() + round(SETTLED_SECONDS * 1e9)
    await clock.sleep(LOOK_SECONDS)  # for duplicates, too
    while clock.monotonic_ns() < give_up_ns and any(one.outcome is None for one in samples):
        await clock.sleep(LOOK_SECONDS)
    sender.settle()
    return samples
