"""A narrow async MQTT 5 port: connect, publish, subscribe, messages, acknowledge.

One :class:`MqttPort` is one connection. It is made, connected, used and thrown away; who
wants another connection makes another port, after the pause :class:`Backoff` says. What
paho-mqtt does underneath (its socket is watched by the event loop, there is no thread) does
not show here, so that another client can take its place.

Why manual acknowledgement: a client that acknowledges on arrival loses what lies in its
queue when its process dies. Here a QoS 1 message is acknowledged when the consumer says so,
and acknowledgements leave in the order of arrival (MQTT 5.0, section 4.6), whatever order the
consumer finishes in.
"""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from drivers.wire.mqtt_answers import Answers
from drivers.wire.mqtt_inbox import Inbox, Limits
from drivers.wire.mqtt_values import (
    SESSION_TAKEN_OVER,
    Backoff,
    Connected,
    ConnectError,
    ConnectionLostError,
    Endpoint,
    Message,
    MqttError,
    PublishRefusedError,
    RefusedError,
    Statistics,
    SubscribeRefusedError,
    Will,
)
from drivers.wire.paho_loop import BufferedClient, Watch
from tenone.trust.masked import bare

__all__ = [
    "Backoff",
    "ConnectError",
    "Connected",
    "ConnectionLostError",
    "Endpoint",
    "Message",
    "MqttError",
    "MqttPort",
    "PublishRefusedError",
    "RefusedError",
    "Statistics",
    "SubscribeRefusedError",
    "Will",
]

DISCONNECT_WITH_WILL = 0x04
MAX_IN_FLIGHT = 1000
"""Own QoS 1 messages awaiting PUBACK, where the broker allows more."""
PACKET_OVERHEAD_BYTES = 128
"""More than the fixed header, topic length and properties of a PUBLISH without user properties."""


class MqttPort:
    """One MQTT 5 connection.

    ``async with MqttPort(endpoint=..., client_id=...) as port:`` connects and, on the way out,
    disconnects: without the will, or with it if an exception ended the block. For a session that
    outlives the connection pass ``clean_start=False`` and a ``session_expiry_seconds`` from the
    first connection on (the embedded broker keeps a session only if it was not begun clean).

    At most ``receive_maximum`` QoS 1 messages are outstanding, by the broker's promise. Brokers
    break it (Mosquitto 2.0.11 does after the first acknowledgements), so the port stops reading
    while that many wait for the consumer. QoS 0 messages beyond ``queue_limit`` waiting ones (or
    ``queue_bytes``) are thrown away, counted in ``statistics.overflowed`` and logged as errors;
    a QoS 1 message beyond ``queue_bytes`` ends the connection: it comes again.

    ``acknowledge_on_arrival`` is for Sparkplug, whose sessions are clean and whose data is made
    safe by receipts: holding acknowledgements back there protects nothing, and rumqttd stops
    sending everything, even PUBACK, while 100 are out.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        client_id: str,
        will: Will | None = None,
        clean_start: bool = True,
        session_expiry_seconds: int = 0,
        keepalive_seconds: int = 30,
        receive_maximum: int = 100,
        acknowledge_on_arrival: bool = False,
        queue_limit: int = 10_000,
        queue_bytes: int = 128 * 1024 * 1024,
        connect_timeout_seconds: float = 5.0,
    ) -> None:
        self.endpoint = endpoint
        self.client_id = client_id
        self.statistics = Statistics()
        self.session_present = False
        """Whether the broker had kept a session: its subscriptions stand already."""
        self._clean_start = clean_start
        self._session_expiry = session_expiry_seconds
        self._keepalive = keepalive_seconds
        self._receive_maximum = receive_maximum
        self._connect_timeout = connect_timeout_seconds
        self._publishes = Answers[None](
            PublishRefusedError, f"broker {endpoint} refused a message for"
        )
        self._subscribes = Answers[int](
            SubscribeRefusedError, f"broker {endpoint} refused a subscription to"
        )
        self._connack: asyncio.Future[Connected] | None = None
        self._closed: asyncio.Future[None] | None = None
        self._ended: MqttError | None = None
        self._closing = False
        self._maximum_packet: int | None = None
        self._in_flight = asyncio.Semaphore(1)
        self._watch: Watch | None = None
        self._client = self._make_client(will)
        self._inbox = Inbox(
            client_id=client_id,
            limits=Limits(
                unacknowledged=receive_maximum, messages=queue_limit, total_bytes=queue_bytes
            ),
            acknowledge_on_arrival=acknowledge_on_arrival,
            statistics=self.statistics,
            send_ack=self._client.ack,
        )

    def _make_client(self, will: Will | None) -> BufferedClient:
        client = BufferedClient(
            CallbackAPIVersion.VERSION2,
            client_id=self.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        if self.endpoint.username is not None:
            password = self.endpoint.password
            said = None if password is None else bare(password)
            client.username_pw_set(self.endpoint.username, said)
        if self.endpoint.tls is not None:
            client.tls_set_context(self.endpoint.tls)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=will.qos, retain=will.retain)
        client.connect_timeout = self._connect_timeout
        client.max_inflight_messages = 0  # paho takes no later change; _in_flight bounds it
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        return client

    # -- connecting and disconnecting ----------------------------------------------------

    async def connect(self) -> Connected:
        """Open the connection; raises :class:`ConnectError`. A port connects once."""
        if self._connack is not None:
            raise MqttError("a port connects once: make another for another connection")
        loop = asyncio.get_running_loop()
        self._connack = loop.create_future()
        self._closed = loop.create_future()
        self._watch = Watch(self._client, loop, self._broken)
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = self._session_expiry
        properties.ReceiveMaximum = self._receive_maximum
        opening = functools.partial(
            self._client.connect,
            self.endpoint.host,
            self.endpoint.port,
            keepalive=self._keepalive,
            clean_start=self._clean_start,
            properties=properties,
        )
        try:
            async with asyncio.timeout(self._connect_timeout):
                # Name lookup, TCP and TLS handshakes block, so they happen off the loop.
                await self._watch.open(opening)
                return await self._connack
        except TimeoutError:
            self._abandon()
            raise ConnectError(
                f"broker {self.endpoint} did not answer within {self._connect_timeout:g} s"
            ) from None
        except (OSError, ValueError) as error:
            self._abandon()
            raise ConnectError(f"broker {self.endpoint} cannot be reached: {error}") from error
        except BaseException:
            self._abandon()
            raise

    async def disconnect(self, *, with_will: bool = False) -> None:
        """Say goodbye and close; ``with_will`` asks the broker to publish the will all the same.

        Does nothing on a connection that has already ended.
        """
        if self._closing or self._ended is not None or self._closed is None:
            self._abandon()
            return
        self._closing = True
        # Normal disconnection is said by leaving the reason out: rumqttd publishes the will when
        # it is spelt out, although reason 0 means the same.
        self._client.disconnect(
            ReasonCode(PacketTypes.DISCONNECT, identifier=DISCONNECT_WITH_WILL)
            if with_will
            else None
        )
        # A peer that no longer reads must not keep us: after the timeout the socket just closes.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._connect_timeout):
                await asyncio.shield(self._closed)
        self._abandon()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Who leaves by an exception did not mean to leave: the will is for that.
        await self.disconnect(with_will=kind is not None)

    # -- publishing and subscribing ------------------------------------------------------

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        user_properties: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Send one message. QoS 0 returns when it is written, QoS 1 when it is acknowledged.

        Raises :class:`PublishRefusedError` with the broker's reason, or
        :class:`ConnectionLostError` (whether a QoS 1 message then arrived is unknown: send again).
        """
        self._check_open()
        size = len(payload) + len(topic.encode()) + PACKET_OVERHEAD_BYTES
        if self._maximum_packet is not None and size > self._maximum_packet:
            raise PublishRefusedError(
                f"message of {len(payload)} bytes for {topic} is larger than the broker's limit "
                f"of {self._maximum_packet} bytes a packet",
                topic,
                0x95,
            )
        properties = None
        if user_properties:
            properties = _properties(PacketTypes.PUBLISH)
            properties.UserProperty = list(user_properties)
        async with self._in_flight if qos else contextlib.nullcontext():
            self._check_open()
            info = self._client.publish(topic, payload, qos, retain, properties)
            if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise self._lost(f"message for {topic} was not sent: {info.rc.name}")
            self.statistics.published += 1
            # Nothing is written before the loop runs again, so this is in time for on_publish.
            with self._publishes.expected(info.mid, topic) as written:
                self._adjust_reading()
                await written

    async def subscribe(self, topic_filter: str, *, qos: int = 1) -> int:
        """Subscribe and return the granted QoS; raises :class:`SubscribeRefusedError`."""
        self._check_open()
        result, packet_id = self._client.subscribe(topic_filter, qos)
        if result is not MQTTErrorCode.MQTT_ERR_SUCCESS or packet_id is None:
            raise self._lost(f"subscription to {topic_filter} was not sent: {result.name}")
        with self._subscribes.expected(packet_id, topic_filter) as granted:
            self._adjust_reading()
            return await granted

    # -- receiving -----------------------------------------------------------------------

    async def messages(self) -> AsyncIterator[Message]:
        """All messages as they arrive, for one consumer.

        Ends after :meth:`disconnect`; a lost connection raises :class:`ConnectionLostError` once
        what had arrived before has been handed out.
        """
        while True:
            while self._inbox:
                message = self._inbox.take()
                self._adjust_reading()
                yield message
            if self._ended is not None:
                raise self._ended
            if self._closing:
                return
            await self._inbox.wait()

    def ack(self, message: Message) -> None:
        """Say that ``message`` is safe. Nothing happens for QoS 0 or after the connection ended."""
        if message.arrival is not None:
            connected = self._ended is None and not self._closing
            self._inbox.settle(message.arrival, connected=connected)

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands, as far as is known."""
        return self._ended is None and not self._closing and self._client.is_connected()

    # -- what paho calls, always on the loop's thread --------------------------------------

    def _on_connect(
        self,
        _client: Client,
        _userdata: Any,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._connack is None or self._connack.done():
            return
        if reason.is_failure:
            self._connack.set_exception(
                ConnectError(
                    f"broker {self.endpoint} refused client {self.client_id}: {reason}",
                    reason.value,
                )
            )
            return
        granted = Connected(
            session_present=flags.session_present,
            receive_maximum=getattr(properties, "ReceiveMaximum", 65_535),
            maximum_packet_bytes=getattr(properties, "MaximumPacketSize", None),
        )
        self.session_present = granted.session_present
        self._maximum_packet = granted.maximum_packet_bytes
        self._in_flight = asyncio.Semaphore(min(granted.receive_maximum, MAX_IN_FLIGHT))
        self._connack.set_result(granted)

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: Any,
        flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        who = "the broker" if flags.is_disconnect_packet_from_server else "the network"
        why = f"connection to {self.endpoint} was ended by {who}: {reason}"
        if reason.value == SESSION_TAKEN_OVER:
            why += (
                f"; somebody else connects as {self.client_id}: find who runs with a copy of this "
                "configuration, and end one of the two"
            )
        elif self.endpoint.tls is not None and self._connack and not self._connack.done():
            why += "; before it answered, so it may not accept this client's certificate"
        self._fail(ConnectionLostError(why, reason.value))

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        if self._inbox.put(message):
            self._adjust_reading()
        else:
            self._end(f"{len(self._inbox)} messages wait for the consumer, which is too slow")

    def _adjust_reading(self) -> None:
        """Stop or go on reading, by how many messages wait.

        Never stop while an answer of the broker is awaited: the consumer may be who awaits it.
        """
        if self._watch is None:
            return
        if self._publishes or self._subscribes or not self._inbox.is_full:
            self._watch.resume()
        else:
            self._watch.pause()

    def _on_publish(
        self,
        _client: Client,
        _userdata: Any,
        packet_id: int,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._publishes.settle(packet_id, reason, None)

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: Any,
        packet_id: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self._subscribes.settle(packet_id, reasons[0], reasons[0].value)

    # -- ending --------------------------------------------------------------------------

    def _end(self, why: str) -> None:
        self._broken(why)
        if self._watch is not None:
            self._watch.close()

    def _broken(self, why: str) -> None:
        self._fail(ConnectionLostError(f"connection to {self.endpoint} was given up: {why}"))

    def _fail(self, error: MqttError) -> None:
        """The connection has ended: tell everyone who waits, once."""
        if self._ended is None and not self._closing:
            self._ended = error
        reason = self._ended or ConnectionLostError(f"port to {self.endpoint} was closed")
        if self._connack is not None and not self._connack.done():
            self._connack.set_exception(ConnectError(str(reason)))
        self._publishes.fail(reason)
        self._subscribes.fail(reason)
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)
        self._inbox.wake()

    def _abandon(self) -> None:
        """Close the socket and stop watching, whatever state things are in."""
        self._closing = True
        if self._watch is not None:
            self._watch.close()
        if self._connack is not None and not self._connack.done():
            self._connack.cancel()
        self._fail(ConnectionLostError(f"port to {self.endpoint} was closed"))

    def _lost(self, what: str) -> MqttError:
        return self._ended or ConnectionLostError(what)

    def _check_open(self) -> None:
        if self._ended is not None:
            raise self._ended
        if self._closing or self._connack is None:
            raise ConnectionLostError(f"port to {self.endpoint} is not connected")


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call] # paho leaves this class unannotated
