"""The live stream as server-sent events (WHATWG HTML 9.2)."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from controller.api.access import Caller, Here, asked_scopes
from controller.api.hub import KINDS, Client, Hub, HubFullError, OwnerFullError, Topic
from controller.api.problems import Problem
from controller.api.sessions import Session, Sessions
from controller.api.together import overview_of

router = APIRouter(prefix="/events", tags=["events"])
RETRY_MILLISECONDS = 2000
OF_LINKS = frozenset({"link", "board", "switch"})
MOST_LINKS = 5000
"""A stream of links, boards or switches starts with all of them: some 700 bytes each."""


class EventStream(Response):
    """Sends a client's bytes until it leaves, is let go, or its session ends.

    Not a StreamingResponse: a client that stops reading blocks ``send``, and being let go
    must end that too.
    """

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, client: Client, sessions: Sessions, session: Session) -> None:
        super().__init__(headers={"x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._hub = hub
        self._client = client
        self._sessions = sessions
        self._session = session

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        sender = asyncio.create_task(self._send(send), name="sse sender")
        leaver = asyncio.create_task(_left(receive), name="sse leaver")
        gone = asyncio.create_task(self._client.gone.wait(), name="sse gone")
        try:
            await asyncio.wait({sender, leaver, gone}, return_when=asyncio.FIRST_COMPLETED)
            if self._client.gone.is_set() and not sender.done():
                # Time to end the response politely, if the client reads at all.
                await asyncio.wait({sender}, timeout=1.0)
        finally:
            self._hub.unsubscribe(self._client)
            for task in (sender, leaver, gone):
                task.cancel()
            await asyncio.gather(sender, leaver, gone, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        await _body(send, f"retry: {RETRY_MILLISECONDS}\n\n".encode())
        while (chunk := await self._client.take()) is not None:
            if not self._sessions.is_open(self._session):
                await _body(send, b"event: signed-out\ndata: {}\n\n")
                break
            await _body(send, chunk)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _body(send: Send, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@router.get("", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
async def events(
    services: Here,
    session: Caller,
    scope: str | None = None,
    kinds: Annotated[str, Query(max_length=100, description="comma-separated")] = "school,overview",
    last_event_id: Annotated[str | None, Header(max_length=64)] = None,
) -> Response:
    """Events ``snapshot``, ``changes``, ``beat`` and ``signed-out``.

    A beat carries ``{"now", "ages"}``: seconds by kind and id, since what is repeated unchanged
    is no change but young again. The first two carry ``{"now", "changes"}``, a change
    is ``{"at", "kind", "id", "scope", "body"}``.

    After a reconnect with ``Last-Event-ID`` the stream goes on where it stopped, or starts
    with a snapshot where too much was missed.
    """
    wanted = frozenset(kinds.split(","))
    if not wanted <= KINDS:
        unknown = ", ".join(sorted(wanted - KINDS))
        raise Problem(
            400, f"kinds: {unknown!r} is unknown: use some of {', '.join(sorted(KINDS))}."
        )
    topic = Topic(asked_scopes(services, session, scope), wanted)
    if wanted & OF_LINKS:
        totals = overview_of(services.city, topic.scopes)
        links = sum(tally.total for tally in totals.tallies)
        if links > MOST_LINKS:
            raise Problem(
                400,
                f"scope: {links} links are too many for one stream: name a school, or ask for "
                "kinds=school,overview.",
            )
    await services.hub.prepare(topic, last_event_id)
    try:
        client = services.hub.subscribe(topic, last_event_id, owner=session.key)
    except OwnerFullError:
        raise Problem(
            429,
            "This sign-in has as many live pages open as one may; close some.",
            headers={"Retry-After": "15"},
        ) from None
    except HubFullError:
        raise Problem(
            503,
            "There are as many live pages open as this controller serves; try again shortly.",
            headers={"Retry-After": "15"},
        ) from None
    return EventStream(services.hub, client, services.sessions, session)
