"""The edge node's Sparkplug session: a state machine without I/O (Sparkplug 3.0, chapters 5, 6).

::

    OFFLINE --connect--> CONNECTING --connected--> WAITING --STATE online--> BIRTH_DUE
    BIRTH_DUE --birth--> ONLINE --rebirth command--> BIRTH_DUE (same bdSeq, no data until born)
    any --leave, lost, valid STATE offline--> OFFLINE

The caller moves bytes: it opens the connection as :class:`ConnectPlan` says, hands in what
arrives, publishes what comes out in order, and answers :class:`BirthWanted` with ``birth``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from drivers.wire.mqtt_values import Will
from drivers.wire.sparkplug.codec import CodecError, Metric, Payload, decode, encode, typed
from drivers.wire.sparkplug.messages import (
    BD_SEQ,
    REBIRTH,
    SEQ_MODULUS,
    ConnectPlan,
    HostState,
    Publish,
    SessionError,
    StateError,
    death_payload,
)
from drivers.wire.sparkplug.schema import DataType
from drivers.wire.topics import (
    MessageType,
    NodeId,
    SparkplugTopic,
    TopicError,
    is_state,
    node_filters,
    state_topic,
)


class EdgeState(Enum):
    """Where the session stands."""

    OFFLINE = auto()
    CONNECTING = auto()
    WAITING = auto()
    """Connected and subscribed; the primary host is not known to be online."""
    BIRTH_DUE = auto()
    ONLINE = auto()


@dataclass(frozen=True, slots=True)
class BirthWanted:
    """Call :meth:`EdgeSession.birth` now and publish what it returns."""

    reason: str


@dataclass(frozen=True, slots=True)
class CommandReceived:
    """Metrics a host wrote, with names and declared datatypes; ``device`` None: to the node."""

    device: str | None
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """The primary host went offline: publish ``death``, disconnect, then connect anew."""

    reason: str
    death: Publish


@dataclass(frozen=True, slots=True)
class EdgeFault:
    """Something that arrived was ignored; the sentence says what and why."""

    sentence: str


EdgeEvent = BirthWanted | CommandReceived | Leave | EdgeFault


class EdgeSession:
    """One edge node.

    ``host_id`` is the primary host to wait for, None to wait for nobody. ``last_bd_seq`` is the
    bdSeq of the last CONNECT, kept by the caller over restarts; None at the very first.
    """

    def __init__(self, *, node: NodeId, host_id: str | None, last_bd_seq: int | None) -> None:
        self.node = node
        self._state_topic = None if host_id is None else state_topic(host_id)
        self._host_id = host_id
        self._bd_seq = -1 if last_bd_seq is None else last_bd_seq
        self._seq = 0
        self._state = EdgeState.OFFLINE
        self._host: HostState | None = None
        self._host_heard = False
        self._births: dict[str | None, _Birth] = {}

    @property
    def state(self) -> EdgeState:
        """Where the session stands."""
        return self._state

    @property
    def bd_seq(self) -> int:
        """The bdSeq of the current session; store it before CONNECT is sent. -1: none yet."""
        return self._bd_seq

    def connect(self, *, now_ms: int) -> ConnectPlan:
        """Begin a session: takes the next bdSeq and says how to connect.

        Persist :attr:`bd_seq` before using the plan.
        """
        self._expect(EdgeState.OFFLINE)
        self._bd_seq = (self._bd_seq + 1) % SEQ_MODULUS
        self._state = EdgeState.CONNECTING
        self._host_heard = False
        filters = [(topic, 1) for topic in node_filters(self.node)]
        if self._state_topic is not None:
            filters.append((self._state_topic, 1))
        death = self._death(now_ms)
        return ConnectPlan(
            will=Will(topic=death.topic, payload=death.payload, qos=death.qos, retain=False),
            subscriptions=tuple(filters),
        )

    def connected(self) -> tuple[EdgeEvent, ...]:
        """CONNACK and all SUBACKs are in."""
        self._expect(EdgeState.CONNECTING)
        self._state = EdgeState.WAITING
        if self._host_id is None:
            return self._due("connected")
        if self._host_heard and self._host is not None and self._host.online:
            return self._due(f"connected, and host {self._host_id} is online")
        return ()

    def received(self, topic: str, payload: bytes, *, now_ms: int) -> tuple[EdgeEvent, ...]:
        """A message arrived on one of the plan's subscriptions."""
        if self._state is EdgeState.OFFLINE:
            return (EdgeFault(f"a message on {topic} came after the session had ended"),)
        if is_state(topic):
            return self._state_received(topic, payload, now_ms)
        try:
            address = SparkplugTopic.parse(topic)
        except TopicError as error:
            return (EdgeFault(f"command ignored: {error}"),)
        if address.node != self.node or not address.kind.is_command:
            return (EdgeFault(f"a message on {topic} is not meant for {self.node}"),)
        try:
            message = decode(payload)
        except CodecError as error:
            return (EdgeFault(f"command on {topic} ignored: {error}"),)
        return self._command(address.device, message)

    def birth(
        self,
        node_metrics: Sequence[Metric],
        devices: Mapping[str, Sequence[Metric]],
        *,
        now_ms: int,
    ) -> tuple[Publish, ...]:
        """NBIRTH with seq 0, then a DBIRTH for each of ``devices``; data may follow.

        The session adds bdSeq and Node Control/Rebirth itself. Raises :class:`SessionError` and
        changes nothing if a metric lacks a name or a datatype, or an alias or name occurs twice.
        """
        if self._state is not EdgeState.ONLINE:
            self._expect(EdgeState.BIRTH_DUE)
        own = (
            Metric(name=BD_SEQ, datatype=DataType.INT64, value=self._bd_seq, timestamp_ms=now_ms),
            Metric(name=REBIRTH, datatype=DataType.BOOLEAN, value=False, timestamp_ms=now_ms),
        )
        births: dict[str | None, _Birth] = {None: _Birth.of([*own, *node_metrics], now_ms)}
        births |= {device: _Birth.of(metrics, now_ms) for device, metrics in devices.items()}
        _check_aliases(births)
        self._births = births
        self._seq = 0
        self._state = EdgeState.ONLINE
        return tuple(
            self._publish(
                MessageType.NBIRTH if device is None else MessageType.DBIRTH,
                device,
                birth.metrics,
                now_ms,
            )
            for device, birth in births.items()
        )

    def device_birth(self, device: str, metrics: Sequence[Metric], *, now_ms: int) -> Publish:
        """DBIRTH of a device that appeared or changed; raises :class:`SessionError`."""
        self._expect(EdgeState.ONLINE)
        births = self._births | {device: _Birth.of(metrics, now_ms)}
        _check_aliases(births)
        self._births = births
        return self._publish(MessageType.DBIRTH, device, births[device].metrics, now_ms)

    def device_death(self, device: str, *, now_ms: int) -> Publish:
        """DDEATH of a device that was lost; raises :class:`SessionError` if it was never born."""
        self._expect(EdgeState.ONLINE)
        if device not in self._births:
            raise SessionError(f"device {device} of {self.node} was never born")
        del self._births[device]
        return self._publish(MessageType.DDEATH, device, (), now_ms)

    def data(self, device: str | None, metrics: Sequence[Metric], *, now_ms: int) -> Publish:
        """NDATA (``device`` None) or DDATA.

        A metric that was born with an alias is named by it alone. Raises :class:`SessionError`
        while no birth stands or if a metric was not born.
        """
        self._expect(EdgeState.ONLINE)
        birth = self._births.get(device)
        if birth is None:
            raise SessionError(f"device {device} of {self.node} was never born")
        kind = MessageType.NDATA if device is None else MessageType.DDATA
        return self._publish(kind, device, _in_time_order(birth.check(metrics)), now_ms)

    def unsent(self) -> None:
        """The last message could not be sent at all: its number goes to the next one."""
        self._seq = (self._seq - 1) % SEQ_MODULUS

    def leave(self, *, now_ms: int) -> Publish | None:
        """End on purpose: publish the NDEATH this returns (None if offline), then disconnect."""
        if self._state is EdgeState.OFFLINE:
            return None
        self.lost()
        return self._death(now_ms)

    def lost(self) -> None:
        """The connection is gone; the broker publishes the will."""
        self._state = EdgeState.OFFLINE
        self._births = {}

    def _due(self, reason: str) -> tuple[EdgeEvent, ...]:
        self._state = EdgeState.BIRTH_DUE
        return (BirthWanted(reason),)

    def _state_received(self, topic: str, payload: bytes, now_ms: int) -> tuple[EdgeEvent, ...]:
        try:
            self._host = heard = self._check_state(topic, payload)
        except StateError as error:
            return (EdgeFault(f"{topic} ignored: {error}"),)
        self._host_heard = True
        if heard.online and self._state is EdgeState.WAITING:
            return self._due(f"host {self._host_id} is online")
        if not heard.online and self._state in {EdgeState.BIRTH_DUE, EdgeState.ONLINE}:
            death = self._death(now_ms)
            self.lost()
            return (Leave(f"host {self._host_id} went offline", death),)
        return ()

    def _check_state(self, topic: str, payload: bytes) -> HostState:
        if topic != self._state_topic:
            raise StateError("it is not the STATE of our primary host")
        heard = HostState.parse(payload)
        if self._host is not None and heard.timestamp_ms < self._host.timestamp_ms:
            raise StateError(
                f"its timestamp {heard.timestamp_ms} is older than {self._host.timestamp_ms}, "
                "seen before"
            )
        return heard

    def _command(self, device: str | None, message: Payload) -> tuple[EdgeEvent, ...]:
        birth = self._births.get(device)
        if birth is None:
            return (EdgeFault(f"command for {device or self.node} ignored: not born"),)
        events: list[EdgeEvent] = []
        written = []
        for metric in message.metrics:
            try:
                known = birth.resolve(metric)
            except CodecError as error:
                events.append(EdgeFault(f"command for {device or self.node} ignored: {error}"))
                continue
            if device is None and known.name == REBIRTH:
                if known.value is True:
                    events += self._due("a host asked for a rebirth")
            else:
                written.append(known)
        if written:
            events.append(CommandReceived(device, tuple(written)))
        return tuple(events)

    def _death(self, now_ms: int) -> Publish:
        return Publish(
            topic=self.node.topic(MessageType.NDEATH),
            payload=death_payload(self._bd_seq, now_ms=now_ms),
            qos=1,
        )

    def _publish(
        self, kind: MessageType, device: str | None, metrics: Iterable[Metric], now_ms: int
    ) -> Publish:
        payload = encode(
            Payload(timestamp_ms=now_ms, seq=self._seq, metrics=tuple(metrics)),
            datatypes=kind in {MessageType.NBIRTH, MessageType.DBIRTH},
        )
        self._seq = (self._seq + 1) % SEQ_MODULUS
        return Publish(topic=self.node.topic(kind, device), payload=payload)

    def _expect(self, state: EdgeState) -> None:
        if self._state is not state:
            raise SessionError(
                f"edge node {self.node} is {self._state.name}, this needs {state.name}"
            )


@dataclass(frozen=True, slots=True)
class _Birth:
    """What one birth declared, by alias and by name."""

    metrics: tuple[Metric, ...]
    by_alias: Mapping[int, Metric]
    by_name: Mapping[str, Metric]

    @classmethod
    def of(cls, metrics: Sequence[Metric], now_ms: int) -> "_Birth":
        by_alias: dict[int, Metric] = {}
        by_name: dict[str, Metric] = {}
        spellings: set[str] = set()
        complete = []
        for given in metrics:
            if not given.name or given.datatype in {None, DataType.UNKNOWN}:
                raise SessionError(f"birth metric {given.name!r} needs a name and a datatype")
            if given.name.casefold() in spellings:
                raise SessionError(f"birth metric {given.name} occurs twice (case aside)")
            if given.name == REBIRTH and given.alias is not None:
                raise SessionError(f"{REBIRTH} must not have an alias")
            metric = (
                given if given.timestamp_ms is not None else replace(given, timestamp_ms=now_ms)
            )
            spellings.add(given.name.casefold())
            by_name[given.name] = metric
            if given.alias is not None:
                if given.alias in by_alias:
                    raise SessionError(f"alias {given.alias} of {given.name} is taken")
                by_alias[given.alias] = metric
            complete.append(metric)
        return cls(tuple(complete), by_alias, by_name)

    def check(self, metrics: Sequence[Metric]) -> list[Metric]:
        """Data metrics that this birth covers; raises :class:`SessionError`."""
        for metric in metrics:
            declared = (
                self.by_name.get(metric.name or "")
                if metric.alias is None
                else self.by_alias.get(metric.alias)
            )
            if declared is None:
                raise SessionError(f"metric {metric.alias or metric.name} was not born")
            if metric.alias is None and declared.alias is not None:
                raise SessionError(f"metric {metric.name} was born with an alias: use that alone")
            if metric.alias is not None and metric.name is not None:
                raise SessionError(f"metric {metric.name} goes by its alias alone after its birth")
            if metric.timestamp_ms is None:
                raise SessionError(f"metric {declared.name} needs a timestamp")
        return list(metrics)

    def resolve(self, metric: Metric) -> Metric:
        """A command's metric with name and datatype; raises :class:`CodecError`."""
        declared = (
            self.by_alias.get(metric.alias)
            if metric.name is None and metric.alias is not None
            else self.by_name.get(metric.name or "")
        )
        if declared is None or declared.name is None or declared.datatype is None:
            raise CodecError(f"metric {metric.name or metric.alias} was not born")
        return typed(metric, declared.name, declared.datatype)


def _check_aliases(births: Mapping[str | None, _Birth]) -> None:
    """An alias is unique over the node and all its devices (``payloads-alias-uniqueness``)."""
    seen: set[int] = set()
    for device, birth in births.items():
        if taken := seen & birth.by_alias.keys():
            raise SessionError(f"alias {min(taken)} of {device or 'the node'} is taken elsewhere")
        seen |= birth.by_alias.keys()


def _in_time_order(metrics: list[Metric]) -> list[Metric]:
    """Live metrics by time; historical ones stay where they are (they are exempt)."""
    live = [metric for metric in metrics if not metric.is_historical]
    times = [metric.timestamp_ms or 0 for metric in live]
    if times == sorted(times):
        return metrics
    ordered = iter(sorted(live, key=lambda metric: metric.timestamp_ms or 0))
    return [metric if metric.is_historical else next(ordered) for metric in metrics]
