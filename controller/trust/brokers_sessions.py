"""What the broker's log and the certificates say about live sessions. Pure but for its memory.

Mosquitto 2.0.11 lists no sessions, ends none when a certificate runs out, cannot refuse MQTT
3.1.1 and tells a client whose id was taken over nothing. Its log has all of that, line by line.
"""

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from controller.trust.registry import Certificate

MQTT5 = 5
TAKEOVERS = 3
TAKEOVER_SECONDS = 60.0
"""An agent that lost its network finds its own old session once; two who fight do it again
and again."""
QUIET_SECONDS = 600.0
"""One fight is told so often."""

_BEGAN = re.compile(
    r"New client connected from \S+ as (?P<id>.*) "
    r"\(p(?P<protocol>[0-9]+), c[01], k[0-9]+, u'(?P<user>.*)'\)\.?",
    re.DOTALL,
)
_TAKEN = re.compile(r"Client (?P<id>.*) already connected, closing old connection\.?", re.DOTALL)
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Began:
    """A session began."""

    username: str
    client_id: str
    protocol: int
    """5, or as Mosquitto writes them: 2 for 3.1.1, 1 for 3.1."""


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A session was ended by another one with its client id."""

    client_id: str


def read_line(text: str) -> Began | TakenOver | None:
    """What a line of the log says; None: nothing that matters here."""
    found = _BEGAN.fullmatch(text)
    if found is not None:
        return Began(found["user"], found["id"], int(found["protocol"]))
    found = _TAKEN.fullmatch(text)
    return None if found is None else TakenOver(found["id"])


def runs_out(certificates: Iterable[Certificate], began: float | None) -> int | None:
    """When a session that began at ``began`` has to be ended, seconds of the epoch.

    Which certificate a session was opened with the broker does not say. Who opens one takes the
    newest; so it is the newest that had been issued by then. Of a session whose beginning nobody
    saw (``began`` None) the first that runs out counts: the worst that costs is a reconnect.
    None: no certificate counts, and the session has no right to be.
    """
    live = [one for one in certificates if one.revoked_ns is None]
    if began is None:
        return min((one.not_after for one in live), default=None)
    before = [one for one in live if one.issued_ns <= began * _NS] or live
    return max((one.not_after for one in before), default=None)


class Sessions:
    """When the sessions began that the broker has told of."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._ended: dict[str, int] = {}

    def connected(self) -> None:
        """The keeper has (re)connected: what began meanwhile it has not heard."""
        self._began.clear()

    def began(self, username: str, now: float) -> None:
        """A session began at ``now``, seconds of the epoch by the controller's clock."""
        self._began[username] = now

    def due(self, machines: Mapping[str, Sequence[Certificate]], now: float) -> list[str]:
        """Accounts (by name, with their certificates) whose session has to be ended now.

        Each is named once for each end of a certificate.
        """
        found = []
        for username, certificates in machines.items():
            end = runs_out(certificates, self._began.get(username))
            if end is not None and end <= now and self._ended.get(username) != end:
                self._ended[username] = end
                found.append(username)
        return found


class Cuts:
    """Which schools' sessions were to be ended for good, and which of them the broker ended."""

    def __init__(self) -> None:
        self._asked: dict[str, float] = {}
        self._done: dict[str, float] = {}

    def asked(self, school: str, now: float) -> None:
        """A session must not go on, said at ``now`` (seconds of the epoch)."""
        self._asked[school] = now
        self._done.pop(school, None)

    def done(self, school: str, now: float) -> None:
        """The broker has carried it out."""
        if school in self._asked:
            self._done[school] = now

    def over(self, school: str) -> None:
        """It may be connected again."""
        self._asked.pop(school, None)
        self._done.pop(school, None)

    def waits(self, school: str) -> bool:
        """Whether it was asked for and is not done."""
        return school in self._asked and school not in self._done

    def at(self, school: str) -> float | None:
        """When the broker carried it out; None: not, or not since this process started."""
        return self._done.get(school)


class Takeovers:
    """Tells a fight for an id from a reconnect."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = {}
        self._told: dict[str, float] = {}
        self._boots: dict[str, deque[tuple[str, float]]] = {}

    def taken(self, name: str, now: float) -> bool:
        """An id was taken over; True: it is a fight, and was not told of late."""
        seen = self._seen.setdefault(name, deque(maxlen=TAKEOVERS))
        seen.append(now)
        fights = len(seen) == TAKEOVERS and now - seen[0] <= TAKEOVER_SECONDS
        return fights and self._tell(name, now)

    def born(self, name: str, boot: str, now: float) -> bool:
        """A node was born with this boot id; True: one that was gone is back within a minute.

        An agent that starts anew has a new boot id and never an old one.
        """
        seen = self._boots.setdefault(name, deque(maxlen=4))
        back = any(
            old == boot and now - at <= TAKEOVER_SECONDS for old, at in list(seen)[:-1]
        ) and (seen[-1][0] != boot)
        seen.append((boot, now))
        return back and self._tell(name, now)

    def fighting(self, now: float) -> list[str]:
        """Whom it was told of lately."""
        return sorted(one for one, at in self._told.items() if now - at <= QUIET_SECONDS)

    def _tell(self, name: str, now: float) -> bool:
        if now - self._told.get(name, -QUIET_SECONDS) < QUIET_SECONDS:
            return False
        self._told[name] = now
        return True
