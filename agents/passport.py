"""How the agent shows who it is: the broker's endpoint from its identity, and that identity's care.

The certificate is read anew at each connection, and a renewal ends the connection that stands with
a DISCONNECT, so the next one shows the new certificate. What had no receipt is sent again.
"""

import asyncio
import logging
import random

from agents.identity import read_identity
from agents.renewal import Renewer
from drivers.wire.door import Door
from drivers.wire.endpoint import EndpointError, endpoint_of
from drivers.wire.mqtt import MqttPort
from drivers.wire.mqtt_values import ConnectError, Endpoint
from tenone.config import School
from tenone.config.own_files import own_files
from tenone.runtime.clock import Clock
from tenone.trust.names import MachineName

log = logging.getLogger(__name__)

RENEWALS = "/renewals"


class Passport:
    """Of one agent. Without ``uplink.identity`` it only says where the broker is."""

    def __init__(
        self, school: School, *, clock: Clock, random_source: random.Random | None = None
    ) -> None:
        self._school = school
        uplink = school.uplink
        self._port: MqttPort | None = None
        self._files = own_files(school.vault)
        self.renewer: Renewer | None = None
        if uplink.identity is not None and uplink.controller is not None:
            controller = uplink.controller
            self.renewer = Renewer(
                uplink.identity,
                clock=clock,
                ask=lambda trust, body: Door(controller, trust).post(RENEWALS, body),
                controller=controller,
                renewed=self.reconnect,
                random_source=random_source,
                files=self._files,
            )
        self._fixed = endpoint_of(uplink.broker) if self.renewer is None else None

    async def check(self) -> None:
        """That there is an identity, of this school; raises IdentityError and EndpointError."""
        folder = self._school.uplink.identity
        if self.renewer is None or folder is None:
            return
        identity = await asyncio.to_thread(read_identity, folder, self._files)
        wanted = (self._school.school.city, MachineName.agent(self._school.id))
        if (identity.city, identity.machine) != wanted:
            raise EndpointError(
                f"the identity in {folder} is of {identity.machine} in {identity.city}, and "
                f"school.yaml is of {self._school.id} in {self._school.school.city}: enrol this "
                "gateway with a token of its own"
            )
        self.renewer.identity = identity
        endpoint_of(self._school.uplink.broker, self._files)

    @property
    def endpoint(self) -> Endpoint:
        """Where the broker is and what to show it now; raises ConnectError."""
        if self._fixed is not None:
            return self._fixed
        try:
            return endpoint_of(self._school.uplink.broker, self._files)
        except EndpointError as error:
            raise ConnectError(str(error)) from error

    def took(self, port: MqttPort) -> MqttPort:
        """Remember the connection that is about to stand."""
        self._port = port
        return port

    async def reconnect(self) -> None:
        """Leave the broker in order; the uplink comes back with what the identity is now."""
        port = self._port
        if port is not None and port.is_connected:
            log.info("uplink: connecting again with the new certificate")
            await port.disconnect()

    @property
    def seconds_left(self) -> float | None:
        """How long the certificate is valid; None: there is none."""
        return None if self.renewer is None else self.renewer.seconds_left

    @property
    def finding(self) -> str | None:
        """What to look after; empty: nothing; None: there is no certificate to look after."""
        return None if self.renewer is None else self.renewer.finding
