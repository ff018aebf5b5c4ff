"""The controller's door: whom it believes, what it does not say in the clear, what it hands on."""

import http.server
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.trust.authorities import Authorities
from controller.trust.servers import server_certificate
from drivers.wire.door import MAX_ANSWER_BYTES, Door, DoorError, check_url

ANSWERS: dict[str, tuple[int, bytes]] = {
    "/api/v1/good": (201, b'{"a": 1}'),
    "/api/v1/list": (201, b"[1]"),
    "/api/v1/text": (200, b"hello"),
    "/api/v1/no": (403, b'{"detail": "No.\\n\\u001b]0;", "code": "token", "x": 1}'),
    "/api/v1/odd": (500, b"<html>"),
    "/api/v1/away": (302, b""),
    "/api/v1/large": (200, b'"' + b"x" * MAX_ANSWER_BYTES + b'"'),
    "/api/v1/ca": (200, b"PEM"),
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = ANSWERS[self.path]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "https://elsewhere.example/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        json.loads(asked)
        assert self.headers["Origin"].startswith("http")
        self.do_GET()

    def log_message(self, *_said: Any) -> None:
        """Nothing."""


Serve = Callable[[ssl.SSLContext | None], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    running: list[http.server.ThreadingHTTPServer] = []

    class Quiet(http.server.ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that refuses us is what is tested."""

    def start(context: ssl.SSLContext | None) -> int:
        server = Quiet(("127.0.0.1", 0), Handler)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        return int(server.server_address[1])

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authorities, Path]:
    folder = tmp_path_factory.mktemp("door")
    authorities = Authorities(folder / "ca", "binhai")
    authorities.open(int(time.time()))
    now = int(time.time())
    server_certificate(authorities, "web", ["127.0.0.1"], folder / "web", city="b", now=now)
    return authorities, folder / "web"


def context_of(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


def test_a_document_there_and_back(serve: Serve, city: tuple[Authorities, Path]) -> None:
    authorities, folder = city
    url = f"https://127.0.0.1:{serve(context_of(folder))}"
    assert Door(url, authorities.bundle).post("/good", {"b": "é"}) == {"a": 1}
    assert Door(url, blind=True).authority() == b"PEM"


def test_a_door_of_somebody_else_is_not_talked_to(
    serve: Serve, city: tuple[Authorities, Path], tmp_path: Path
) -> None:
    _, folder = city
    other = Authorities(tmp_path / "ca", "binhai")
    other.open(int(time.time()))
    port = serve(context_of(folder))
    for door in (
        Door(f"https://127.0.0.1:{port}", other.bundle),
        Door(f"https://127.0.0.1:{port}"),
        Door(f"https://localhost:{port}", city[0].bundle),
    ):
        with pytest.raises(DoorError, match="not who it should be"):
            door.post("/good", {})
    with pytest.raises(DoorError, match="cannot be used"):
        Door(f"https://127.0.0.1:{port}", b"x").post("/good", {})


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/list", 0, "something else than a document"),
        ("/text", 0, "something else than a document"),
        ("/no", 403, r"No\.\?\?\]0;"),
        ("/odd", 500, "status 500"),
        ("/away", 302, "status 302"),
        ("/large", 0, "more than"),
    ],
)
def test_other_answers_are_told(serve: Serve, path: str, status: int, sentence: str) -> None:
    with pytest.raises(DoorError, match=sentence) as refused:
        Door(f"http://127.0.0.1:{serve(None)}").post(path, {})
    assert refused.value.status == status
    if path == "/no":
        assert refused.value.code == "token"
        assert isinstance(refused.value.said, dict)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with pytest.raises(DoorError, match="cannot be reached"):
        Door(f"http://127.0.0.1:{port}", timeout_seconds=2).post("/good", {})


@pytest.mark.parametrize(
    "url",
    ["", "city", "http://city.example", "http://10.0.0.1:8010", "https://", "https://a/b",
     "ftp://a", "https://a:x", "https://[::1", "http://127.0.0.1.evil.example"],
)  # fmt: skip
def test_addresses_that_are_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(DoorError):
        check_url(url)
    assert check_url("https://city.example:8010").port == 8010
    assert check_url("http://localhost:8010/").port == 8010
