"""A new root takes over on a running Mosquitto: not one handshake of the right ones is refused."""

import asyncio
import shutil
import signal
import time
from pathlib import Path

import pytest

from controller.trust.servers import server_certificate
from tenone.runtime.clock import SystemClock
from tenone.trust.enrolment import key_pem
from tests import mosquitto

from .broker import Broker
from .city import City, Holder
from .test_machine_desk import renew

AGENTS = 8
RELOADED = b"Reloading config"
"""Said before it reads its files, in the thread that accepts connections afterwards."""


class Wall:
    """The real time, for TLS looks at it, behind the face of the tests' clock."""

    def __init__(self) -> None:
        self._clock = SystemClock()

    def wall_ns(self) -> int:
        return self._clock.wall_ns()

    def monotonic_ns(self) -> int:
        return self._clock.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


@pytest.mark.slow
async def test_three_steps_without_a_refused_handshake(tmp_path: Path) -> None:
    program = mosquitto.installed()
    city = City(tmp_path, clock=Wall())  # type: ignore[arg-type]  # a clock like the manual one
    holders = [await city.enrol(f"agent:no{number}") for number in range(1, AGENTS + 1)]
    home = tmp_path / "broker"
    log = home / "mosquitto.log"
    counts = {"accepted": 0, "refused": 0}

    def serve() -> None:
        """What the city's care does: certificate, trust and lists where the broker reads them."""
        server_certificate(
            city.authorities, "broker", ["127.0.0.1"], home, city="binhai", now=city.now
        )
        shutil.copy(city.crl.path, home / "crl.pem")

    def handshakes(broker: Broker) -> None:
        for number, one in enumerate(holders):
            good = shows(broker, one, tmp_path / f"agent-{number}")
            counts["accepted" if good else "refused"] += 1

    await city.desk.make_lists()
    serve()
    broker = Broker(home, program)
    broker.start()

    async def reload() -> None:
        await city.desk.make_lists()
        serve()
        before = log.read_bytes().count(RELOADED)
        broker.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while log.read_bytes().count(RELOADED) == before:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)

    async def renew_some(which: slice) -> None:
        for number in range(AGENTS)[which]:
            holders[number] = await renew(holders[number])

    handshakes(broker)
    old = city.authorities.issuing
    fresh = city.authorities.add(city.now)
    await reload()
    handshakes(broker)
    await renew_some(slice(0, AGENTS // 2))
    handshakes(broker)
    await renew_some(slice(AGENTS // 2, None))
    late = holders[0]
    city.authorities.switch(fresh.id)
    await reload()
    handshakes(broker)
    await renew_some(slice(0, AGENTS // 2))
    handshakes(broker)
    await renew_some(slice(AGENTS // 2, None))
    handshakes(broker)
    city.authorities.retire(old.id)
    await reload()
    handshakes(broker)
    assert counts == {"accepted": 7 * AGENTS, "refused": 0}
    assert not shows(broker, late, tmp_path / "late"), "the old root counts no longer"
    broker.stop()
    city.close()


def shows(broker: Broker, holder: Holder, stem: Path) -> bool:
    trust, identity = stem.with_suffix(".ca"), stem.with_suffix(".pem")
    trust.write_text(holder.papers.bundle)
    identity.write_bytes(key_pem(holder.key) + holder.papers.chain.encode())
    return broker.accepts(trust, identity)
