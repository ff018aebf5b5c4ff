"""Recordings, requests made without the simulator's own decoder, and a served agent."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import api

from firmware_sims.switch.agent import Agent
from firmware_sims.switch.misbehave import plain
from firmware_sims.switch.server import Answer, Endpoint, Fleet

Varbinds = list[tuple[tuple[int, ...], str, Any]]


class Oracle:
    """Requests encoded and replies decoded by pysnmp, which is not ours."""

    def __init__(self, version: int = 1) -> None:
        self._api: Any = api.PROTOCOL_MODULES[version]

    def request(
        self,
        kind: str,
        oids: list[tuple[int, ...]],
        *,
        request_id: int = 77,
        community: str = "public",
        non_repeaters: int = 0,
        max_repetitions: int = 10,
    ) -> bytes:
        """``kind`` is Get, GetNext, GetBulk or Set."""
        mod = self._api
        pdu = getattr(mod, f"{kind}RequestPDU")()
        if kind == "GetBulk":
            mod.apiBulkPDU.set_defaults(pdu)
            mod.apiBulkPDU.set_non_repeaters(pdu, non_repeaters)
            mod.apiBulkPDU.set_max_repetitions(pdu, max_repetitions)
            mod.apiBulkPDU.set_varbinds(pdu, [(oid, mod.Null("")) for oid in oids])
        else:
            mod.apiPDU.set_defaults(pdu)
            mod.apiPDU.set_varbinds(pdu, [(oid, mod.Null("")) for oid in oids])
        mod.apiPDU.set_request_id(pdu, request_id)
        message = mod.Message()
        mod.apiMessage.set_defaults(message)
        mod.apiMessage.set_community(message, community)
        mod.apiMessage.set_pdu(message, pdu)
        return bytes(encoder.encode(message))

    def reply(self, data: bytes) -> tuple[int, int, Varbinds]:
        """error-status, error-index and (OID, type name, value) of each binding."""
        mod = self._api
        message, rest = decoder.decode(data, asn1Spec=mod.Message())
        assert not rest
        pdu = mod.apiMessage.get_pdu(message)
        bound = [
            (tuple(oid), type(value).__name__, value) for oid, value in mod.apiPDU.get_varbinds(pdu)
        ]
        return (
            int(mod.apiPDU.get_error_status(pdu)),
            int(pdu.getComponentByPosition(2)),
            bound,
        )

    def request_id(self, data: bytes) -> int:
        """The request-id of a message."""
        message, _ = decoder.decode(data, asn1Spec=self._api.Message())
        return int(self._api.apiPDU.get_request_id(self._api.apiMessage.get_pdu(message)))


@pytest.fixture
def v2c() -> Oracle:
    return Oracle(1)


@pytest.fixture
def v1() -> Oracle:
    return Oracle(0)


def _captures() -> Path:
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    return Path(os.environ.get("TENONE_CAPTURES", default))


@pytest.fixture(scope="session")
def recordings() -> list[Path]:
    """The recorded devices, or a loud skip."""
    found = sorted((_captures() / "snmp").glob("*.snmprec"))
    if not found:
        pytest.skip(f"no recordings under {_captures()}: set TENONE_CAPTURES")
    return found


@pytest.fixture(scope="session")
def snmp_tools() -> str:
    """net-snmp's command line tools, or a loud skip; returns the path of snmpbulkwalk."""
    found = shutil.which("snmpbulkwalk")
    if found is None:
        pytest.skip("net-snmp's tools are not installed: sudo apt-get install snmp")
    return found


Serve = Callable[[Agent | Answer], Any]


@pytest.fixture
def serve() -> Serve:
    """``async with serve(agent) as port:`` answers on a loopback port."""

    @asynccontextmanager
    async def serving(what: Agent | Answer) -> AsyncIterator[int]:
        endpoint = Endpoint(plain(what) if isinstance(what, Agent) else what, "127.0.0.1", 0)
        async with Fleet([endpoint]):
            yield endpoint.port

    return serving


Run = Callable[..., Awaitable[tuple[int, bytes, bytes]]]


@pytest.fixture
def run() -> Run:
    """Run a program beside the loop: exit code, output, errors."""

    async def running(*argv: str) -> tuple[int, bytes, bytes]:
        process = await asyncio.create_subprocess_exec(
            *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        return process.returncode or 0, out, err

    return running
