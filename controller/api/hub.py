"""The live stream: changes encoded once, fanned out as bytes, slow clients dropped.

A client asks for a topic (scopes and some kinds). Changes are folded by (kind, id) and
sent at most once a second; the first one after a quiet second goes at once. Every bound
is in bytes or batches, so a client that stops reading costs its queue and nothing else:
it is dropped, connects again and gets a snapshot.
"""

import asyncio
import json
import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from controller.api.gathering import SCHOOLS_AT_ONCE
from controller.api.snapshots import SNAPSHOTS, ages_of
from controller.api.together import overview_of
from controller.encode import overview_json
from controller.views import Change, City
from tenone.runtime.clock import Clock
from tenone.vocabulary.scope import ScopePath

INCIDENT = "incident"
OVERVIEW = "overview"
OF_SCHOOLS = frozenset({"agent", "board", "link", "school", "switch"})
"""Kinds of which every school has its own."""
KINDS = frozenset(SNAPSHOTS) | {INCIDENT}
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
"""One for all: ``dumps`` would make one a change."""
GATHER_SECONDS = 0.05
"""What is published together goes out together."""
BATCH_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Topic:
    """What one stream carries."""

    scopes: tuple[ScopePath, ...]
    """None lies inside another."""
    kinds: frozenset[str]

    def covers(self, scope: ScopePath) -> bool:
        """Whether what stands at ``scope`` concerns it."""
        return any(one.covers(scope) for one in self.scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much the hub may hold."""

    clients: int = 600
    owner_clients: int = 20
    """Of one sign-in: tabs of one person."""
    client_batches: int = 8
    client_bytes: int = 8 * 1024 * 1024
    ring_batches: int = 120
    ring_bytes: int = 8 * 1024 * 1024


@dataclass(slots=True)
class HubFigures:
    """Totals since start, for /metrics."""

    batches: int = 0
    changes: int = 0
    dropped: int = 0
    refused: int = 0
    replays: int = 0
    snapshots: int = 0


class HubFullError(Exception):
    """No room for one more stream, or the hub is closed."""


class OwnerFullError(HubFullError):
    """One sign-in has as many streams open as one may."""


class Client:
    """One open stream: a bounded queue of ready bytes."""

    def __init__(self, topic: Topic, bounds: Bounds, owner: str = "") -> None:
        self.topic = topic
        self.owner = owner
        self._bounds = bounds
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self.gone = asyncio.Event()
        """Set when the hub has let go of this client: overflow or shutdown."""

    @property
    def queued_bytes(self) -> int:
        """Bytes waiting to be taken."""
        return self._bytes

    def offer(self, chunk: bytes) -> bool:
        """Queue ``chunk``; False when it does not fit, and then the client is let go."""
        if self.gone.is_set():
            return False
        full = len(self._queue) >= self._bounds.client_batches
        if full or self._bytes + len(chunk) > self._bounds.client_bytes:
            self.let_go()
            return False
        self._queue.append(chunk)
        self._bytes += len(chunk)
        self._filled.set()
        return True

    def let_go(self) -> None:
        """Give up what is queued and end the stream."""
        self._queue.clear()
        self._bytes = 0
        self.gone.set()
        self._filled.set()

    async def take(self) -> bytes | None:
        """The next bytes; None when the client was let go."""
        while not self._queue:
            if self.gone.is_set():
                return None
            self._filled.clear()
            await self._filled.wait()
        chunk = self._queue.popleft()
        self._bytes -= len(chunk)
        return chunk


@dataclass(frozen=True, slots=True)
class _Encoded:
    scope: ScopePath
    kind: str
    id: str
    text: str


@dataclass(slots=True)
class _Batch:
    seq: int
    changes: list[_Encoded]
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = sum(len(change.text) for change in self.changes)


class Hub:
    """Fans changes out. All methods belong to the event loop's thread."""

    def __init__(
        self,
        clock: Clock,
        city: City,
        *,
        bounds: Bounds | None = None,
        incidents: Callable[[ScopePath], Sequence[Change]] = lambda _scope: (),
    ) -> None:
        """``incidents``: what is open inside a scope, for snapshots."""
        self._clock = clock
        self._city = city
        self._open_incidents = incidents
        self._bounds = bounds or Bounds()
        self._pending: dict[tuple[str, str], Change] = {}
        self._wake = asyncio.Event()
        self._clients: dict[Topic, set[Client]] = {}
        self._at: dict[ScopePath, set[Topic]] = {}
        """The topics that have clients, by each of their scopes."""
        self._count = 0
        self._owners: Counter[str] = Counter()
        self._epoch = secrets.token_hex(4)
        self._seq = 0
        self._ring: deque[_Batch] = deque()
        self._ring_bytes = 0
        self._snapshots: dict[Topic, tuple[float, int, bytes]] = {}
        """Moment, number of the last batch that is in it, bytes."""
        self._closed = False
        self.figures = HubFigures()

    @property
    def clients(self) -> int:
        """Open streams."""
        return self._count

    def publish(self, changes: Iterable[Change]) -> None:
        """Take changes in; of two with the same kind and id the later one is sent."""
        for change in changes:
            self._pending[change.kind, change.id] = change
        if self._pending:
            self._wake.set()

    async def run(self) -> None:
        """Send batches and heartbeats for ever; one task of a Supervisor."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._batches())
            both.create_task(self._heartbeats())

    def subscribe(
        self, topic: Topic, last_event_id: str | None = None, *, owner: str = ""
    ) -> Client:
        """Open a stream; what it missed, or a snapshot, is queued already.

        ``owner`` is whose stream it is, or empty. Raises :class:`HubFullError` and, where the
        owner has too many, :class:`OwnerFullError`.
        """
        if self._closed or self._count >= self._bounds.clients:
            self.figures.refused += 1
            raise HubFullError
        if owner and self._owners[owner] >= self._bounds.owner_clients:
            self.figures.refused += 1
            raise OwnerFullError
        first = self._missed(topic, last_event_id)
        if first is None:
            self.figures.snapshots += 1
            first = self._ready(topic) or self._snapshot(topic)
        else:
            self.figures.replays += 1
        client = Client(topic, self._bounds, owner)
        self._owners[owner] += 1
        self._clients.setdefault(topic, set()).add(client)
        for scope in topic.scopes:
            self._at.setdefault(scope, set()).add(topic)
        self._count += 1
        client.offer(first)
        return client

    async def prepare(self, topic: Topic, last_event_id: str | None = None) -> None:
        """Make the snapshot :meth:`subscribe` will need, without holding the loop up.

        Schools are taken one after the other; what changes meanwhile is added as changes.
        """
        now, seq = self._now(), self._seq
        full = self._closed or self._count >= self._bounds.clients
        if full or self._missed(topic, last_event_id) or self._ready(topic):
            return
        changes: list[_Encoded] = []
        for kind in sorted(topic.kinds):
            for number, scope in enumerate(self._pieces(kind, topic), 1):
                changes += (_encoded(change, now) for change in self._all_of(kind, scope))
                if number % SCHOOLS_AT_ONCE == 0:
                    await asyncio.sleep(0)
        changes += self._sums(topic, now)
        self._snapshots[topic] = now, seq, self._event("snapshot", changes, seq)

    def unsubscribe(self, client: Client) -> None:
        """Forget a stream; calling it twice is fine."""
        members = self._clients.get(client.topic, set())
        if client not in members:
            return
        client.let_go()
        members.discard(client)
        self._count -= 1
        self._owners[client.owner] -= 1
        if not self._owners[client.owner]:
            del self._owners[client.owner]
        if not members:
            del self._clients[client.topic]
            for scope in client.topic.scopes:
                self._at[scope].discard(client.topic)
                if not self._at[scope]:
                    del self._at[scope]

    def end(self, ended: Callable[[str], bool]) -> None:
        """End the streams of the sign-ins that have ended."""
        for client in list(self._everybody()):
            if client.owner and ended(client.owner):
                self.unsubscribe(client)

    def close(self) -> None:
        """End all streams and take no more. Call before the HTTP server drains."""
        self._closed = True
        for client in list(self._everybody()):
            self.unsubscribe(client)

    def flush(self) -> None:
        """Encode what is pending and hand it to the clients it concerns."""
        changes, self._pending = self._pending, {}
        if not changes:
            return
        self._seq += 1
        now = self._now()
        batch = _Batch(self._seq, [_encoded(change, now) for change in changes.values()])
        self._remember(batch)
        self.figures.batches += 1
        self.figures.changes += len(batch.changes)
        by_topic: dict[Topic, list[_Encoded]] = {}
        for change in batch.changes:
            for topic in self._topics_of(change):
                by_topic.setdefault(topic, []).append(change)
        for topic, mine in by_topic.items():
            every = [*mine, *self._sums(topic, now)]
            self._send(self._clients[topic], self._event("changes", every))

    def beat(self) -> None:
        """Tell every client that the stream is alive, what time it is here, and how old all is.

        A new sweep that says the same is no change, but it makes the evidence young again.
        """
        for topic in list(self._clients):
            self._beat(topic)

    # -- inside -----------------------------------------------------------------

    async def _batches(self) -> None:
        while True:
            await self._wake.wait()
            await self._clock.sleep(GATHER_SECONDS)
            self._wake.clear()
            self.flush()
            await self._clock.sleep(BATCH_SECONDS - GATHER_SECONDS)

    async def _heartbeats(self) -> None:
        while True:
            await self._clock.sleep(HEARTBEAT_SECONDS)
            for topic in list(self._clients):
                self._beat(topic)
                await asyncio.sleep(0)  # ages of a whole city take tens of milliseconds

    def _beat(self, topic: Topic) -> None:
        members = self._clients.get(topic)
        if members is None:  # the last one left meanwhile
            return
        ages = ages_of(self._city, topic.scopes, topic.kinds)
        text = _JSON.encode({"now": round(self._now(), 3), "ages": ages})
        self._send(members, f"event: beat\ndata: {text}\n\n".encode())

    def _now(self) -> float:
        return self._clock.wall_ns() / 1e9

    def _everybody(self) -> Iterator[Client]:
        for members in self._clients.values():
            yield from members

    def _topics_of(self, change: _Encoded) -> Iterator[Topic]:
        """Topics whose scope is a prefix of the change's, by looking each prefix up."""
        parts = change.scope.parts
        for depth in range(len(parts) + 1):
            for topic in self._at.get(ScopePath(parts[:depth]), ()):
                if change.kind in topic.kinds:
                    yield topic

    def _send(self, clients: Iterable[Client], chunk: bytes) -> None:
        for client in list(clients):
            if not client.offer(chunk):
                self.figures.dropped += 1
                self.unsubscribe(client)

    def _event(self, name: str, changes: Iterable[_Encoded], seq: int | None = None) -> bytes:
        """``seq``: the last batch that is in it; unsaid: the newest."""
        texts = ",".join(change.text for change in changes)
        return (
            f"id: {self._epoch}-{self._seq if seq is None else seq}\nevent: {name}\n"
            f'data: {{"now":{self._now():.3f},"changes":[{texts}]}}\n\n'
        ).encode()

    def _remember(self, batch: _Batch) -> None:
        self._ring.append(batch)
        self._ring_bytes += batch.size
        while self._ring and (
            self._ring_bytes > self._bounds.ring_bytes
            or len(self._ring) > self._bounds.ring_batches
        ):
            self._ring_bytes -= self._ring.popleft().size

    def _missed(self, topic: Topic, last_event_id: str | None) -> bytes | None:
        """What came after ``last_event_id``, newest of each; None if it is not all here."""
        epoch, _, number = (last_event_id or "").partition("-")
        if epoch != self._epoch or not number.isascii() or not number.isdigit():
            return None
        last = int(number[:18])
        oldest_needed = last + 1
        if last > self._seq or (
            oldest_needed <= self._seq and (not self._ring or self._ring[0].seq > oldest_needed)
        ):
            return None
        newest: dict[tuple[str, str], _Encoded] = {}
        for batch in self._ring:
            if batch.seq > last:
                for change in batch.changes:
                    if change.kind in topic.kinds and topic.covers(change.scope):
                        newest[change.kind, change.id] = change
        return self._event("changes", [*newest.values(), *self._sums(topic, self._now())])

    def _snapshot(self, topic: Topic) -> bytes:
        """Everything the topic shows, now; encoded once for all who come within a second."""
        now = self._now()
        changes = [
            _encoded(change, now)
            for kind in sorted(topic.kinds)
            for scope in topic.scopes
            for change in self._all_of(kind, scope)
        ]
        changes += self._sums(topic, now)
        chunk = self._event("snapshot", changes)
        self._snapshots[topic] = now, self._seq, chunk
        return chunk

    def _ready(self, topic: Topic) -> bytes | None:
        """A snapshot of the last second, and what changed since; None where there is none."""
        now = self._now()
        for old in [one for one, kept in self._snapshots.items() if not _young(kept[0], now)]:
            del self._snapshots[old]
        kept = self._snapshots.get(topic)
        if kept is None:
            return None
        _, seq, chunk = kept
        if seq == self._seq:
            return chunk
        since = self._missed(topic, f"{self._epoch}-{seq}")
        return None if since is None else chunk + since

    def _pieces(self, kind: str, topic: Topic) -> Sequence[ScopePath]:
        """The parts a snapshot of ``kind`` is made of."""
        if kind in OF_SCHOOLS:
            return [one for scope in topic.scopes for one in self._city.school_scopes(scope)]
        return topic.scopes

    def _sums(self, topic: Topic, now: float) -> list[_Encoded]:
        """The totals of several scopes together, which no single change carries."""
        if len(topic.scopes) == 1 or OVERVIEW not in topic.kinds:
            return []
        found = overview_of(self._city, topic.scopes)
        at, body = found.scope, overview_json(found)
        return [_encoded(Change(scope=at, kind=OVERVIEW, id=str(at), body=body), now)]

    def _all_of(self, kind: str, scope: ScopePath) -> Sequence[Change]:
        if kind == INCIDENT:
            return self._open_incidents(scope)
        return SNAPSHOTS[kind](self._city, scope)


def _young(made_at: float, now: float) -> bool:
    return 0 <= now - made_at < BATCH_SECONDS


def _encoded(change: Change, now: float) -> _Encoded:
    """``at`` is the moment the body's ages count from, also when it is sent again later."""
    document = {
        "at": round(now, 3),
        "kind": change.kind,
        "id": change.id,
        "scope": str(change.scope),
        "body": change.body,
    }
    return _Encoded(change.scope, change.kind, change.id, _JSON.encode(document))
