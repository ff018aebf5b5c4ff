"""The host's Sparkplug session: a state machine without I/O (Sparkplug 3.0, chapters 5, 6).

The caller opens the connection as ``connect`` says, hands in everything that arrives, calls
``tick`` when ``next_tick`` says so, and publishes every :class:`~messages.Publish` found in
the events, in order.

A gap in a node's sequence opens the reorder window. When it closes, what waited is handed out
(a block proves itself, and losing it would only mean sending it again) and a rebirth is asked.
"""

from collections.abc import Iterable, Sequence

from drivers.wire.sparkplug.admission import RebirthAdmission
from drivers.wire.sparkplug.codec import CodecError, Metric, Payload, decode, encode
from drivers.wire.sparkplug.events import (
    Data,
    DeviceBorn,
    DeviceDied,
    Fault,
    HostEvent,
    NodeBorn,
    NodeDied,
    RebirthAsked,
    RebirthWanted,
    StateRepaired,
)
from drivers.wire.sparkplug.messages import (
    BD_SEQ,
    REBIRTH,
    SEQ_MODULUS,
    ConnectPlan,
    HostState,
    Moment,
    Publish,
    SessionError,
    StateError,
)
from drivers.wire.sparkplug.schema import DataType
from drivers.wire.sparkplug.tracking import BirthTable, Held, NodeSnapshot, NodeTrack
from drivers.wire.topics import (
    MessageType,
    NodeId,
    SparkplugTopic,
    TopicError,
    host_filters,
    is_state,
    state_topic,
)

REORDER_SECONDS = 2.0
MAX_HELD_BYTES = 64 * 1024 * 1024
"""Of all nodes together; beyond it a gap is given up at once."""


class HostSession:
    """One Sparkplug host application.

    ``groups`` restricts it to some districts. ``last_state_ms`` is the newest STATE timestamp an
    earlier run used (:attr:`state_ms`), so that a clock set back does not silence the city.
    ``resumed`` are nodes an earlier run knew (:meth:`snapshots`).
    """

    def __init__(
        self,
        *,
        host_id: str,
        groups: tuple[str, ...] = (),
        reorder_seconds: float = REORDER_SECONDS,
        admission: RebirthAdmission | None = None,
        last_state_ms: int = 0,
        resumed: Iterable[NodeSnapshot] = (),
    ) -> None:
        self.host_id = host_id
        self._topic = state_topic(host_id)
        self._groups = groups
        self._reorder_seconds = reorder_seconds
        self._admission = admission or RebirthAdmission()
        self._state_ms = last_state_ms
        self._online = False
        self._birth_heard = False
        self._nodes = {snapshot.node: NodeTrack.resumed(snapshot) for snapshot in resumed}
        self._waiting: set[NodeId] = set()
        self._held_bytes = 0

    @property
    def state_ms(self) -> int:
        """Timestamp of the last STATE; keep it over restarts."""
        return self._state_ms

    @property
    def nodes_online(self) -> tuple[NodeId, ...]:
        """Nodes that were born and have not died."""
        return tuple(node for node, track in self._nodes.items() if track.online)

    @property
    def rebirths_wanted(self) -> int:
        """Nodes whose rebirth is queued or asked and has not come."""
        return len(self._admission)

    def connect(self, *, at: Moment) -> ConnectPlan:
        """How to connect: the will says offline with the timestamp the birth will have."""
        self._state_ms = max(self._state_ms, at.wall_ms)
        self._online = self._birth_heard = False
        filters = [(topic, 1) for topic in host_filters(self._groups)]
        if self._groups:
            filters.append((self._topic, 1))  # the whole namespace would have it inside
        return ConnectPlan(
            will=HostState(online=False, timestamp_ms=self._state_ms).will(self.host_id),
            subscriptions=tuple(filters),
        )

    def connected(self) -> Publish:
        """CONNACK and all SUBACKs are in: publish this STATE before anything else."""
        self._online = True
        return HostState(online=True, timestamp_ms=self._state_ms).publish(self.host_id)

    def leave(self, *, at: Moment) -> Publish:
        """A planned exit: publish this STATE, then disconnect."""
        self._online = False
        self._state_ms = max(self._state_ms, at.wall_ms)
        return HostState(online=False, timestamp_ms=self._state_ms).publish(self.host_id)

    def lost(self) -> None:
        """The connection is gone. What was missed shows as a gap when it is back."""
        self._online = False

    def received(self, topic: str, payload: bytes, *, at: Moment) -> tuple[HostEvent, ...]:
        """A message arrived."""
        if is_state(topic):
            return self._state_received(topic, payload)
        address: SparkplugTopic | None = None
        try:
            address = SparkplugTopic.parse(topic)
            if address.kind.is_command:
                return ()  # our own, or another host's
            message = Held(address, decode(payload))
        except TopicError as error:
            return (Fault(None, topic, str(error)),)
        except CodecError as error:
            node = None if address is None else address.node
            return (Fault(node, topic, f"message on {topic}: {error}"),)
        handle = {
            MessageType.NBIRTH: self._node_born,
            MessageType.NDEATH: self._node_died,
        }.get(address.kind, self._in_sequence)
        return handle(message, at)

    def tick(self, *, at: Moment) -> tuple[HostEvent, ...]:
        """Close reorder windows whose time is over, ask for the rebirths that are admitted."""
        events: list[HostEvent] = []
        for node in sorted(self._waiting):
            track = self._nodes[node]
            if track.deadline is not None and track.deadline <= at.monotonic:
                events += self._give_up(track, at)
        for node, reason in self._admission.admit(at.monotonic):
            ask = Metric(
                name=REBIRTH, datatype=DataType.BOOLEAN, value=True, timestamp_ms=at.wall_ms
            )
            command = Publish(
                topic=node.topic(MessageType.NCMD),
                payload=encode(Payload(timestamp_ms=at.wall_ms, metrics=(ask,))),
            )
            events.append(RebirthAsked(node, reason, command))
        return tuple(events)

    def next_tick(self, *, at: Moment) -> float | None:
        """When :meth:`tick` is worth calling (monotonic s, not before ``at``); None: never."""
        times = [
            deadline
            for node in self._waiting
            if (deadline := self._nodes[node].deadline) is not None
        ]
        admission = self._admission.next_time()
        if admission is not None:
            times.append(admission)
        return max(min(times), at.monotonic) if times else None

    def want_rebirth(self, node: NodeId, reason: str, *, at: Moment) -> tuple[HostEvent, ...]:
        """The caller found that only a birth helps, such as a layout it never saw."""
        if self._admission.want(node, reason, at.monotonic):
            return (RebirthWanted(node, reason),)
        return ()

    def command(
        self, node: NodeId, device: str | None, metrics: Sequence[Metric], *, at: Moment
    ) -> Publish:
        """NCMD (``device`` None) or DCMD: QoS 0, a timestamp, no seq.

        A metric born with an alias goes by it alone. Raises :class:`SessionError` if the birth is
        known and did not declare a metric, or with another datatype.
        """
        track = self._nodes.get(node)
        table = None if track is None else track.tables.get(device)
        if table is not None:
            try:
                metrics = [table.written(metric) for metric in metrics]
            except CodecError as error:
                raise SessionError(f"command for {device or node}: {error}") from error
        kind = MessageType.NCMD if device is None else MessageType.DCMD
        payload = encode(Payload(timestamp_ms=at.wall_ms, metrics=tuple(metrics)))
        return Publish(topic=node.topic(kind, device), payload=payload)

    def snapshots(self) -> tuple[NodeSnapshot, ...]:
        """What a next run needs to go on without rebirths."""
        return tuple(
            NodeSnapshot(track.node, track.bd_seq, track.next_seq, dict(track.tables))
            for track in self._nodes.values()
            if track.online and track.bd_seq is not None and track.next_seq is not None
        )

    # -- STATE, births and deaths of nodes -------------------------------------------------

    def _state_received(self, topic: str, payload: bytes) -> tuple[HostEvent, ...]:
        if topic != self._topic or not self._online:
            return ()
        try:
            heard = HostState.parse(payload)
        except StateError as error:
            return (Fault(None, topic, f"our own STATE was overwritten: {error}"),)
        if heard.online:
            self._birth_heard |= heard.timestamp_ms == self._state_ms
            return ()
        if not self._birth_heard and heard.timestamp_ms <= self._state_ms:
            # The retained will of the session before. Our birth, which is still to come back to
            # us, is behind it (one topic is in order, MQTT 5.0 section 4.6) and no older.
            return ()
        # Edge nodes believe the newer timestamp, so an offline newer than ours must be matched.
        self._state_ms = max(self._state_ms, heard.timestamp_ms)
        online = HostState(online=True, timestamp_ms=self._state_ms)
        return (StateRepaired(online.publish(self.host_id)),)

    def _node_born(self, message: Held, at: Moment) -> tuple[HostEvent, ...]:
        node, payload = message.topic.node, message.payload
        try:
            bd_seq = _bd_seq(payload)
            seq, time_ms = _in_session(payload)
            table = BirthTable.of(payload.metrics)
        except CodecError as error:
            fault = Fault(node, message.topic.path, f"NBIRTH of {node}: {error}")
            return (fault, *self.want_rebirth(node, "its NBIRTH was malformed", at=at))
        track = self._nodes.setdefault(node, NodeTrack(node))
        again = track.online and track.bd_seq == bd_seq
        events: list[HostEvent] = []
        if older := track.take_older(time_ms):
            # Held messages of the session before: its tables are still here, for the last time.
            self._held_bytes -= sum(_size(held) for held in older)
            for held in older if track.online else ():
                events += self._apply(track, held, at)
        track.born(bd_seq, seq, table)
        self._admission.settled(node)
        events = [event for event in events if not isinstance(event, RebirthWanted)]
        events.append(NodeBorn(node, bd_seq, time_ms, payload.metrics, again))
        return (*events, *self._drain(track, at))

    def _node_died(self, message: Held, at: Moment) -> tuple[HostEvent, ...]:
        node = message.topic.node
        track = self._nodes.get(node)
        if track is None or not track.online:
            self._admission.settled(node)  # it is gone: asking it would be in vain
            if track is not None:
                self._forget_held(track)
                track.died()
            return ()
        try:
            bd_seq = _bd_seq(message.payload)
        except CodecError as error:
            return (Fault(node, message.topic.path, f"NDEATH of {node} ignored: {error}"),)
        if bd_seq != track.bd_seq:
            sentence = f"NDEATH of {node} ignored: it is of session {bd_seq}, now is {track.bd_seq}"
            return (Fault(node, message.topic.path, sentence),)
        devices = tuple(device for device in track.tables if device is not None)
        self._forget_held(track)
        track.died()
        self._admission.settled(node)
        return (NodeDied(node, bd_seq, at.wall_ms, devices),)

    # -- messages in sequence --------------------------------------------------------------

    def _in_sequence(self, message: Held, at: Moment) -> tuple[HostEvent, ...]:
        node = message.topic.node
        try:
            seq, _ = _in_session(message.payload)
        except CodecError as error:
            sentence = f"{message.topic.kind} of {node}: {error}"
            fault = Fault(node, message.topic.path, sentence)
            return (fault, *self.want_rebirth(node, sentence, at=at))
        track = self._nodes.setdefault(node, NodeTrack(node))
        if seq == track.next_seq and not track.held:
            track.next_seq = (seq + 1) % SEQ_MODULUS
            return self._apply(track, message, at)
        if seq in track.held:
            # The same number twice inside one window: the order is beyond repair.
            return (*self._give_up(track, at), *self._in_sequence(message, at))
        track.held[seq] = message
        self._held_bytes += _size(message)
        events = self._drain(track, at)
        if self._held_bytes > MAX_HELD_BYTES:
            events = (*events, *self._give_up(track, at))
        return events

    def _drain(self, track: NodeTrack, at: Moment) -> tuple[HostEvent, ...]:
        """Apply what is in order; open, keep or close the reorder window."""
        events: list[HostEvent] = []
        moved = False
        for message in track.in_order():
            moved = True
            self._held_bytes -= _size(message)
            events += self._apply(track, message, at)
        if not track.held:
            track.deadline = None
            self._waiting.discard(track.node)
        elif moved or track.deadline is None:
            track.deadline = at.monotonic + self._reorder_seconds
            self._waiting.add(track.node)
        return tuple(events)

    def _give_up(self, track: NodeTrack, at: Moment) -> tuple[HostEvent, ...]:
        events: list[HostEvent] = []
        self._forget_held(track)
        if track.next_seq is None:
            reason = f"{len(track.held)} messages came before its birth"
            events.append(Fault(track.node, "", f"data of {track.node} not used: {reason}"))
            track.give_up()
        else:
            reason = f"message {track.next_seq} did not come within {self._reorder_seconds:g} s"
            for message in track.give_up():
                events += self._apply(track, message, at)
        return (*events, *self.want_rebirth(track.node, reason, at=at))

    def _forget_held(self, track: NodeTrack) -> None:
        self._held_bytes -= sum(_size(message) for message in track.held.values())
        self._waiting.discard(track.node)

    def _apply(self, track: NodeTrack, message: Held, at: Moment) -> tuple[HostEvent, ...]:
        address, payload = message.topic, message.payload
        node, device, time_ms = address.node, address.device, payload.timestamp_ms or 0
        try:
            if address.kind is MessageType.DBIRTH and device is not None:
                track.device_born(device, BirthTable.of(payload.metrics))
                return (DeviceBorn(node, device, time_ms, payload.metrics),)
            table = track.table(device)
            if address.kind is MessageType.DDEATH and device is not None:
                del track.tables[device]
                return (DeviceDied(node, device, time_ms),)
            metrics = tuple([table.resolve(metric) for metric in payload.metrics])
        except CodecError as error:
            sentence = f"{address.kind} of {device or node}: {error}"
            fault = Fault(node, address.path, sentence)
            return (fault, *self.want_rebirth(node, sentence, at=at))
        return (Data(node, device, time_ms, metrics),)


def _size(message: Held) -> int:
    """Bytes of values a held message keeps in memory, roughly."""
    return 256 + sum(
        len(metric.value) if isinstance(metric.value, bytes | str) else 64
        for metric in message.payload.metrics
    )


def _bd_seq(payload: Payload) -> int:
    for metric in payload.metrics:
        if metric.name == BD_SEQ:
            if isinstance(metric.value, int) and not isinstance(metric.value, bool):
                return metric.value
            raise CodecError("bdSeq is no integer")
    raise CodecError("it has no bdSeq")


def _in_session(payload: Payload) -> tuple[int, int]:
    """Seq and timestamp, which every message of a session but NDEATH has."""
    if payload.seq is None or payload.timestamp_ms is None:
        raise CodecError("it has no seq or no timestamp")
    return payload.seq, payload.timestamp_ms
