"""The live stream through a real server and real sockets."""

import json
import socket
import time
from collections.abc import Iterator

import pytest

from tenone.vocabulary.roles import Role
from tests.ops.serving import Served, served

PATIENCE_SECONDS = 20.0


@pytest.fixture(scope="module")
def site() -> Iterator[Served]:
    with served() as running:
        yield running


class Reader:
    """A stream read byte by byte, as a browser would."""

    def __init__(
        self,
        site: Served,
        token: str,
        query: str = "kinds=link",
        *,
        extra: str = "",
        small: bool = False,
    ) -> None:
        self.socket = socket.socket()
        if small:  # so that an unread stream fills up soon
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(("127.0.0.1", site.port))
        self.socket.settimeout(PATIENCE_SECONDS)
        request = (
            f"GET /api/v1/events?{query} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n"
            f"Cookie: tenone={token}\r\nConnection: close\r\n{extra}\r\n"
        )
        self.socket.sendall(request.encode())
        self.buffer = b""

    def until(self, marker: bytes) -> bytes:
        """Read up to and with ``marker``."""
        while marker not in self.buffer:
            received = self.socket.recv(65536)
            assert received, f"the stream ended before {marker!r}: {self.buffer[-300:]!r}"
            self.buffer += received
        found, _, self.buffer = self.buffer.partition(marker)
        return found + marker

    def event(self, name: str) -> dict[str, object]:
        self.until(f"event: {name}\n".encode())
        data = self.until(b"\n\n").split(b"data: ", 1)[1]
        body: dict[str, object] = json.loads(data)
        return body

    def ended(self) -> bool:
        """Whether the server ends the stream in time."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        return True


def slow_down(site: Served, name: str = "no12/c-2-3") -> None:
    site.do(lambda: site.services.hub.publish(site.city.set_link(name, negotiated_mbps=100)))


def test_a_stream_starts_with_a_snapshot_and_goes_on_with_changes(site: Served) -> None:
    reader = Reader(site, site.session(), "scope=binhai/east/no12&kinds=link")
    head = reader.until(b"\r\n\r\n").decode().lower()
    assert "content-type: text/event-stream" in head
    assert "cache-control: no-store" in head
    assert "content-encoding" not in head
    assert b"retry: 2000" in reader.until(b"\n\n")
    snapshot = reader.event("snapshot")["changes"]
    assert isinstance(snapshot, list)
    assert len(snapshot) == 41
    slow_down(site)
    changes = reader.event("changes")["changes"]
    assert isinstance(changes, list)
    (change,) = changes
    assert (change["id"], change["body"]["negotiated_mbps"]) == ("no12/c-2-3", 100)
    reader.socket.close()


def test_other_scopes_see_nothing_of_it(site: Served) -> None:
    east = Reader(site, site.session(Role.VIEWER, "binhai/east"), "kinds=link")
    west = Reader(site, site.session(Role.VIEWER, "binhai/west"), "kinds=link")
    assert len(east.event("snapshot")["changes"]) == 67  # type: ignore[arg-type]  # JSON
    assert len(west.event("snapshot")["changes"]) == 11  # type: ignore[arg-type]  # JSON
    slow_down(site)
    assert east.event("changes")["changes"]
    site.do(site.services.hub.beat)
    west.until(b"event: ")
    assert west.until(b"\n") == b"beat\n"
    for reader in (east, west):
        reader.socket.close()


def test_a_returning_reader_goes_on_where_it_was(site: Served) -> None:
    token = site.session()
    reader = Reader(site, token, "kinds=link")
    reader.event("snapshot")
    slow_down(site)
    event_id = reader.until(b"event: changes").split(b"id: ")[-1].split(b"\n")[0].decode()
    reader.socket.close()
    again = Reader(site, token, "kinds=link", extra=f"Last-Event-ID: {event_id}\r\n")
    assert again.event("changes")["changes"] == []
    again.socket.close()


def test_leaving_frees_the_place(site: Served) -> None:
    hub = site.services.hub
    wait_for(lambda: hub.clients == 0)
    reader = Reader(site, site.session())
    reader.event("snapshot")
    assert hub.clients == 1
    reader.socket.close()
    wait_for(lambda: hub.clients == 0)


def test_signing_out_ends_the_stream(site: Served) -> None:
    token = site.session()
    reader = Reader(site, token)
    reader.event("snapshot")
    session = site.services.sessions.find(token)
    assert session is not None
    site.do(lambda: site.services.sessions.close(session))
    site.do(site.services.hub.beat)
    assert reader.event("signed-out") == {}
    assert reader.ended()
    reader.socket.close()


def test_a_reader_that_stops_reading_is_let_go_and_costs_no_memory(site: Served) -> None:
    hub = site.services.hub
    wait_for(lambda: hub.clients == 0)
    dropped = hub.figures.dropped
    stuck = Reader(site, site.session(), "kinds=link", small=True)
    wait_for(lambda: hub.clients == 1)
    links = list(site.city.schools_by_id["no12"].links)

    def storm() -> None:
        """Some 100 kB of changes in one batch."""
        for name in links:
            change = site.city.set_link(name, name="x" * 2000)[0]
            hub.publish([change])
        hub.flush()

    def gone() -> bool:
        site.do(storm)
        return hub.clients == 0

    wait_for(gone)
    assert hub.figures.dropped == dropped + 1
    assert stuck.ended()
    stuck.socket.close()


def wait_for(fact: object) -> None:
    """Until ``fact()`` is true, for at most the patience of these tests."""
    assert callable(fact)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not fact():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)
