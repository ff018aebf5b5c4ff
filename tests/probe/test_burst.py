import asyncio

from drivers.probe.burst import burst
from drivers.probe.sender import LATE_NS
from tenone.vocabulary.probes import ProbeOutcome
from tests.probe.conftest import Bench, until


async def test_every_packet_of_a_burst_has_an_outcome(bench: Bench) -> None:
    def fate(data: bytes, back: bool) -> list[bytes]:
        return [] if data[3] % 10 == 3 and not back else [data]

    relay = bench.relay(bench.reflector(), fate)
    sending = asyncio.create_task(
        burst(bench.sender(), bench.session(relay), clock=bench.clock, packets=50, a_second=500)
    )
    await until(lambda: len(relay.seen) == 95)
    await asyncio.sleep(0.1)
    bench.clock.passed_ns += LATE_NS
    samples = await sending
    lost = [sample.sequence for sample in samples if sample.outcome is ProbeOutcome.LOST]
    assert lost == [3, 13, 23, 33, 43]
    assert sum(sample.outcome is ProbeOutcome.ANSWERED for sample in samples) == 45
    # Never faster than asked for: 49 gaps of 2 ms.
    assert samples[-1].sent_ns - samples[0].sent_ns >= 48 * 2_000_000
