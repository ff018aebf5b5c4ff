"""The outbox of messages: what must be told stands in the records until it is delivered.

At least once: a message is sent, then marked as sent; a crash in between sends it again, with
the same id, by which the receiver can tell. What fails is tried again, later each time, and given
up after :data:`GIVE_UP_NS`, which the timeline of /readyz says. :mod:`controller.incidents.post`
carries it.
"""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol

import httpx
import sqlalchemy as sa
from sqlalchemy.engine import Engine as Database

from controller.incidents.tables import NoticeRow
from controller.incidents.views import IncidentView, incident_json
from controller.store.files import replace_file
from controller.store.records import Unit
from controller.trust.outward import Outward, OutwardError
from tenone.config.escalation import Channel
from tenone.config.secret import SecretError

log = logging.getLogger(__name__)

SECOND_NS = 1_000_000_000
FIRST_RETRY_NS = 5 * SECOND_NS
LONGEST_RETRY_NS = 900 * SECOND_NS
GIVE_UP_NS = 7 * 86_400 * SECOND_NS
AT_ONCE = 50
OK_STATUS = range(200, 300)
REFUSALS = range(300, 500)
BUSY = frozenset({408, 425, 429})
"""Of those: not about the message (RFC 9110 15.5.9, RFC 8470 5.2, RFC 6585 4)."""
SIGNATURE = "X-TenOne-Signature"


class State:
    """What can become of a notice."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given-up"


class SendError(Exception):
    """A message could not be delivered; says why."""


class RefusedError(SendError):
    """The receiver is there and does not take this message: the next one may well go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message that waits. ``channel`` is the place in the level's list of channels."""

    row: int
    incident: str
    level: int
    act: str
    channel: str
    made_ns: int
    due_ns: int
    attempts: int
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What one destination has waiting."""

    waiting: int
    oldest_ns: int | None
    given_up: int = 0
    """Just now, because there were too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationView:
    """How one destination fares, for people who look after the controller."""

    level: str
    channel: str
    """Its place in the level's list, and its kind: ``0:webhook``."""
    waiting: int
    """Counted while it fails; 0 where its last message went out."""
    oldest_ns: int | None
    failures: int
    """In a row, without an answer."""
    dropped: int
    """Given up because too many waited, since the start."""


class Teller(Protocol):
    """Puts an incident into words, for channels that people read."""

    def __call__(self, view: IncidentView, language: str, /) -> str:
        """One sentence in ``zh-CN`` or ``en``."""
        ...


def bare(view: IncidentView, _language: str) -> str:
    """Without words at hand: the fields themselves."""
    return f"{view.school} {view.name} {view.cause.label}"


class NoticeRecords:
    """The outbox in the records. Methods block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, level: int, channel: str, now_ns: int, most: int) -> list[Notice]:
        """What is due at one destination, in the order it was made."""
        query = (
            sa.select(NoticeRow)
            .where(*_waits_for(level, channel), NoticeRow.due_ns <= now_ns)
            .order_by(NoticeRow.row)
            .limit(most)
        )
        with Unit(self._database) as session:
            return [_notice(row) for row in session.scalars(query)]

    def backlog(self, level: int, channel: str, most: int) -> Backlog:
        """What one destination has waiting, due or not; of more than ``most`` the oldest go."""
        where = _waits_for(level, channel)
        counted = sa.select(sa.func.count(), sa.func.min(NoticeRow.made_ns)).where(*where)
        with Unit(self._database) as session:
            waiting, oldest_ns = session.execute(counted).one()
            over = max(0, waiting - most)
            if over:
                oldest = sa.select(NoticeRow.row).where(*where).order_by(NoticeRow.row).limit(over)
                rows = [
                    {"row": row, "state": State.GIVEN_UP, "error": "too many waited behind it"}
                    for row in session.scalars(oldest)
                ]
                session.execute(sa.update(NoticeRow), rows)
            return Backlog(waiting=waiting - over, oldest_ns=oldest_ns, given_up=over)

    def forget_others(self, known: Collection[tuple[int, str]]) -> int:
        """Give up what waits for destinations that are not among ``known``; how many."""
        query = sa.select(NoticeRow.row, NoticeRow.level, NoticeRow.channel).where(
            NoticeRow.state == State.WAITING
        )
        with Unit(self._database) as session:
            rows = [
                {"row": row, "state": State.GIVEN_UP, "error": "no such channel any more"}
                for row, level, channel in session.execute(query)
                if (level, channel) not in known
            ]
            if rows:
                session.execute(sa.update(NoticeRow), rows)
        return len(rows)

    def mark(self, done: Sequence[Mapping[str, object]]) -> None:
        """Note what became of notices: ``row`` and the columns that change."""
        with Unit(self._database) as session:
            session.execute(sa.update(NoticeRow), list(done))


def retry_at_ns(attempts: int, now_ns: int) -> int:
    """When to try again after so many failures: 5 s, 10 s, 20 s ... 15 min."""
    return now_ns + min(FIRST_RETRY_NS << min(attempts, 20), LONGEST_RETRY_NS)


def outcome(notice: Notice, now_ns: int, error: str, *, alone: bool = True) -> dict[str, object]:
    """What to write about a notice that was tried; ``error`` empty: it was delivered.

    ``alone``: it is this message that waits, not its destination with all that stand behind it.
    """
    if not error:
        return {
            "row": notice.row,
            "state": State.SENT,
            "sent_ns": now_ns,
            "attempts": notice.attempts + 1,
            "error": "",
        }
    over = now_ns - notice.made_ns >= GIVE_UP_NS
    return {
        "row": notice.row,
        "state": State.GIVEN_UP if over else State.WAITING,
        "due_ns": retry_at_ns(notice.attempts, now_ns) if alone else notice.due_ns,
        "attempts": notice.attempts + 1,
        "error": error[:500],
    }


def document(notice: Notice, view: IncidentView, teller: Teller) -> bytes:
    """The body of a webhook; ``id`` is the same at every attempt."""
    body = {
        "id": f"{notice.incident}/{notice.row}",
        "type": f"tenone.incident.{notice.act}",
        "level": notice.level,
        "made": notice.made_ns / SECOND_NS,
        "sentence": teller(view, "en"),
        "sentence_zh": teller(view, "zh-CN"),
        "incident": incident_json(view),
    }
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def signature(secret: str, body: bytes) -> str:
    """``sha256=<hex>``: HMAC-SHA-256 (RFC 2104) of the body under the channel's secret."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Sender:
    """Delivers one notice by one channel; raises :class:`SendError`."""

    def __init__(self, teller: Teller, *, outward: Outward | None = None) -> None:
        self.teller = teller
        self._outward = outward or Outward()
        self._client: httpx.AsyncClient | None = None

    async def send(self, channel: Channel, notice: Notice, view: IncidentView) -> None:
        """Deliver it."""
        match channel.kind:
            case "webhook":
                await self._post(channel, notice, view)
            case "email-file":
                await asyncio.to_thread(self._lay_down, channel, notice, view)
            case "log":
                log.warning("incident %s: %s", view.id, self.teller(view, "en"))

    async def _post(self, channel: Channel, notice: Notice, view: IncidentView) -> None:
        if channel.url is None or channel.secret is None:  # the configuration refuses this
            raise SendError("the webhook has no address or no secret")
        body = document(notice, view, self.teller)
        try:
            signed = signature(channel.secret.reveal(), body)
        except SecretError as error:
            raise SendError(f"the webhook's secret cannot be read: {error}") from error
        headers = {"content-type": "application/json; charset=utf-8", SIGNATURE: signed}
        if self._client is None:
            self._client = self._outward.client()
        try:
            response = await self._client.post(channel.url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if isinstance(error.__cause__, OutwardError):
                raise SendError(f"the webhook may not be reached: {error}") from error
            raise SendError(f"the webhook does not answer: {type(error).__name__}") from error
        if response.status_code in OK_STATUS:
            return
        said = f"the webhook answered {response.status_code}"
        if response.status_code in REFUSALS and response.status_code not in BUSY:
            raise RefusedError(said)
        raise SendError(said)

    def _lay_down(self, channel: Channel, notice: Notice, view: IncidentView) -> None:
        if channel.path is None:  # the configuration refuses this
            raise SendError("the channel has no folder")
        mail = EmailMessage()
        mail["Subject"] = self.teller(view, "zh-CN").splitlines()[0][:200]
        mail["X-TenOne-Incident"] = view.id
        mail["Message-ID"] = f"<{notice.row}.{view.id}@tenone>"
        mail.set_content(f"{self.teller(view, 'zh-CN')}\n\n{self.teller(view, 'en')}\n")
        name = f"{notice.row:09d}-{view.id}.eml"
        try:
            replace_file(channel.path / name, mail.as_bytes())
        except OSError as error:
            raise SendError(f"the mail cannot be laid down: {error.strerror}") from error

    async def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _notice(row: NoticeRow) -> Notice:
    return Notice(
        row=row.row,
        incident=row.incident,
        level=row.level,
        act=row.act,
        channel=row.channel,
        made_ns=row.made_ns,
        due_ns=row.due_ns,
        attempts=row.attempts,
        error=row.error,
    )


def _waits_for(level: int, channel: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        NoticeRow.state == State.WAITING,
        NoticeRow.level == level,
        NoticeRow.channel == channel,
    )
