"""What keepers of accounts do, and what everybody does with the own one. The ledger comes first."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from controller.api.sessions import BY_CODE, Session, SessionKind, Sessions, WrongCodeError
from controller.trust.entries import LedgerError, Outcome
from controller.trust.people import second
from controller.trust.people.browsers import Browser
from controller.trust.people.door import Door, name_of
from controller.trust.people.first import KEEPER, THERE_IS_ONE, First
from controller.trust.people.model import (
    ACTOR,
    PASS_SECONDS,
    Account,
    ForbiddenError,
    PeopleError,
    RefusedError,
    SignInError,
    UnknownAccountError,
    check_name,
    keeps_users,
    may_keep,
    needs_second_factor,
)
from controller.trust.people.parts import Parts, written
from controller.trust.people.passwords import WeakPasswordError, check
from tenone.vocabulary.roles import Grant

T = TypeVar("T")
PENDING_SECONDS = 15 * 60.0
MOST_PENDING = 1000
CODE_LENGTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A second factor that is shown and not proved yet."""

    secret: str
    address: str
    """``otpauth://``; the picture of it is what people scan."""
    until: float


class People:
    """See the module. Raises :class:`PeopleError`, LedgerError, StoreError."""

    def __init__(self, parts: Parts, sessions: Sessions) -> None:
        self.parts = parts
        self.sessions = sessions
        self.door = Door(parts, sessions)
        self.on_closed: Callable[[], None] = lambda: None
        """Called when sessions have ended: streams are looked at."""
        self._pending: dict[str, Pending] = {}

    # -- looking

    async def all(self, keeper: Sequence[Grant]) -> list[Account]:
        """The accounts a keeper reaches."""
        found = await self.parts.in_records(self.parts.records.all)
        return [one for one in found if may_keep(keeper, one.grants)]

    async def find(self, name: str) -> Account:
        """One account."""
        found = await self.parts.in_records(self.parts.records.find, name)
        if found is None:
            raise UnknownAccountError(f"There is no account {name[:80]!r}.")
        return found

    async def has_keeper(self) -> bool:
        """Whether some security administrator of the city can sign in."""
        found = await self.parts.in_records(self.parts.records.all)
        return any(map(keeps_users, found))

    def must_have_second(self, account: Account) -> bool:
        """Whether its grants want a second factor."""
        return needs_second_factor(account.grants, self.parts.second_roles)

    async def signed_in_by(
        self, provider: str, subject: str, claims: Mapping[str, object]
    ) -> Account:
        """The account whose ``subject`` an identity provider has proved; SignInError without one.

        ``claims`` are what it said besides; nothing is granted by them.
        """
        del claims  # roles are granted here, never by what a token says
        found = await self.parts.in_records(self.parts.records.linked, provider, subject)
        if found is None or not provider or not subject:
            raise SignInError("Nobody here is linked to that identity: ask who keeps the accounts.")
        return found

    async def by_code(
        self, code: str, client: str, *, instead_of: Session | None = None
    ) -> tuple[str, Session]:
        """A session by the machine's one-time code, ledgered: see :meth:`Sessions.sign_in`."""
        try:
            token, session = self.sessions.sign_in(code, client, instead_of=instead_of)
        except WrongCodeError:
            await self.parts.noted("session.refused", BY_CODE, "", client=client, why="code")
            raise
        try:
            await self.parts.told("session.open", BY_CODE, session.kind.value, client=client)
        except LedgerError:
            self.sessions.close(session)
            raise
        return token, session

    # -- keeping

    async def create(
        self, keeper: Session, name: str, display: str, grants: Iterable[Grant]
    ) -> tuple[Account, str]:
        """A new account, and the one-time code by which its holder sets password and factor."""
        kept = tuple(grants)
        self._reach(keeper, kept)
        parts, records = self.parts, self.parts.records
        await parts.in_records(records.create, name, display, kept, parts.now(), trial=True)
        await parts.told("account.create", keeper.actor, name, grants=written(kept))
        await self._done(
            "account.create", keeper.actor, name,
            parts.in_records(records.create, name, display, kept, parts.now()),
        )  # fmt: skip
        return await self.find(name), await self._code(name)

    async def edit(
        self,
        keeper: Session,
        name: str,
        *,
        display: str | None = None,
        enabled: bool | None = None,
        grants: Iterable[Grant] | None = None,
        link: tuple[str, str] | None = None,
    ) -> Account:
        """Change what is given."""
        known = await self.find(name)
        self._reach(keeper, known.grants)
        wanted = None if grants is None else tuple(grants)
        if keeper.actor == known.actor and (wanted is not None or enabled is not None):
            raise ForbiddenError("Nobody edits the own grants or state: another keeper does.")
        if wanted is not None:
            self._reach(keeper, wanted)
        parts, records = self.parts, self.parts.records
        await parts.in_records(
            records.edit, name, display=display, enabled=enabled, grants=wanted, link=link,
            trial=True, version=known.version,
        )  # fmt: skip
        act = "account.edit"
        if enabled is not None:
            act = "account.enable" if enabled else "account.disable"
        elif wanted is not None:
            act = "account.grant"
        await parts.told(
            act, keeper.actor, name,
            grants=None if wanted is None else written(wanted),
            provider=None if link is None else link[0],
        )  # fmt: skip
        edited = await self._done(
            act, keeper.actor, name,
            parts.in_records(
                records.edit, name, display=display, enabled=enabled, grants=wanted, link=link,
                version=known.version,
            ),
        )  # fmt: skip
        if edited.version != known.version:
            self._ended(edited.actor)
        return edited

    async def remove(self, keeper: Session, name: str) -> None:
        """Forget an account."""
        known = await self.find(name)
        self._reach(keeper, known.grants)
        if keeper.actor == known.actor:
            raise ForbiddenError("Nobody removes the own account: another keeper does.")
        parts, records = self.parts, self.parts.records
        await parts.in_records(records.remove, name, trial=True)
        await parts.told("account.remove", keeper.actor, name)
        await self._done(
            "account.remove", keeper.actor, name,
            parts.in_records(records.remove, name, version=known.version),
        )  # fmt: skip
        self._ended(known.actor)

    async def reset(self, keeper: Session, name: str, *, keep_second: bool = True) -> str:
        """Forget the password (and the second factor); returns the one-time code for a new one."""
        known = await self.find(name)
        self._reach(keeper, known.grants)
        if keeper.actor == known.actor:
            raise ForbiddenError("Change the own password on the page of the own account.")
        await self.parts.told("account.reset", keeper.actor, name, second_kept=keep_second)
        code = await self._done(
            "account.reset", keeper.actor, name,
            self._code(name, keep_second=keep_second, version=known.version),
        )  # fmt: skip
        self._ended(known.actor)
        return code

    # -- the own account

    def begin_second(self, session: Session) -> Pending:
        """The second factor this session is shown; the same one for 15 minutes."""
        name = name_of(session.actor) or "admin"
        now = self.parts.now()
        for key in [key for key, one in self._pending.items() if one.until <= now]:
            del self._pending[key]
        found = self._pending.get(session.key)
        if found is not None:
            return found
        if len(self._pending) >= MOST_PENDING:
            raise RefusedError("Too many people set up a second factor at this moment: try again.")
        secret = second.new_secret()
        pending = Pending(
            secret=secret,
            address=second.address(secret, name, self.parts.city),
            until=now + PENDING_SECONDS,
        )
        self._pending[session.key] = pending
        return pending

    async def confirm_second(
        self, session: Session, password: str, code: str, browser: Browser | None = None
    ) -> list[str]:
        """Keep the second factor that was shown; returns the recovery codes, shown this once.

        The account's other sessions end: they may have been opened with the factor that is gone.
        """
        name, version = await self._proved(session, password, browser)
        secret, step = self._shown(session, code)
        act = "account.second-factor"
        await self.parts.told(act, session.actor, name)
        keeping = self._keep_second(session, name, secret, step, version)
        codes, _ = await self._done(act, session.actor, name, keeping)
        for one in self.sessions.of(session.actor):
            if one.key != session.key:
                self.sessions.close(one)
        self.on_closed()
        return codes

    async def change_password(
        self, session: Session, current: str, new: str, browser: Browser | None = None
    ) -> None:
        """Every session of the account ends, this one too; of its browsers this one stays known."""
        name, version = await self._proved(session, current, browser)
        _check(new, name)
        await self.parts.told("account.password", session.actor, name)
        await self._keep_password(session, name, new, browser, version)

    async def enrol(
        self, session: Session, password: str, code: str, browser: Browser | None = None
    ) -> list[str]:
        """A new or reset account gets its password, and a second factor where it has none.

        ``code``: of the second factor that is shown; empty where none is wanted. Returns its
        recovery codes. The session ends.
        """
        if session.kind is not SessionKind.ENROL:
            raise ForbiddenError("This needs the one-time code of a new account.")
        name = name_of(session.actor)
        account = await self.find(name)
        _check(password, name, account.display)
        if account.has_second_factor:
            code = ""
        elif not code and self.must_have_second(account):
            raise RefusedError("The roles of this account want a second factor: enter its code.")
        shown = self._shown(session, code) if code else None
        if not self.sessions.is_open(session):  # reset once more meanwhile
            raise ForbiddenError("This needs the one-time code of a new account.")
        recovery: list[str] = []
        act, version = "account.password", account.version
        await self.parts.told(act, session.actor, name, second_factor=shown is not None)
        if shown is not None:
            keeping = self._keep_second(session, name, *shown, version)
            recovery, version = await self._done(act, session.actor, name, keeping)
        await self._keep_password(session, name, password, browser, version)
        return recovery

    async def first(  # noqa: PLR0917 - the form and the browser it is filled in by
        self, session: Session, name: str, display: str, password: str, code: str,
        browser: Browser | None = None,
    ) -> list[str]:  # fmt: skip
        """By a one-time code of the machine: the first security administrator of the city.

        Once there is one who can sign in, only an existing one gets a new password and factor
        this way (recovery). Returns the recovery codes. The session ends.
        """
        if session.kind is not SessionKind.SET_UP:
            raise ForbiddenError("This needs the one-time code that the controller prints.")
        check_name(name)
        _check(password, name, display)
        parts, records = self.parts, self.parts.records
        known = await parts.in_records(records.find, name)
        if known is None and await self.has_keeper():
            raise RefusedError(THERE_IS_ONE)
        if known is not None and KEEPER not in known.grants:
            raise RefusedError("That account is not a security administrator of the city.")
        secret, step = self._shown(session, code)
        codes = second.new_recovery_codes()
        kept = None if browser is None else self.door.remembered()
        wanted = First(
            name=name,
            display=display,
            password=await parts.checker.hash(password),
            second=parts.seal.shut(name, secret),
            step=step,
            recovery=list(map(second.digest, codes)),
            now=parts.now(),
            known=known is not None,
            browser=kept,
        )
        if not self.sessions.is_open(session):  # another tab of it was quicker
            raise ForbiddenError("This needs the one-time code that the controller prints.")
        act = "account.create" if known is None else "account.recover"
        await parts.told(act, session.actor, name, grants=written((KEEPER,)))
        await self._done(act, session.actor, name, parts.in_records(records.first, wanted))
        self._pending.pop(session.key, None)
        self._ended(ACTOR + name)
        self.sessions.close(session)
        await self.door.give(browser, kept, name)
        return codes

    # -- inside

    def _reach(self, keeper: Session, grants: Sequence[Grant]) -> None:
        if not may_keep(keeper.grants, grants):
            raise ForbiddenError(
                "You keep accounts inside your own scope only, and this one reaches beyond it."
            )

    async def _done(self, act: str, actor: str, name: str, doing: Awaitable[T]) -> T:
        try:
            return await doing
        except PeopleError as error:  # somebody was quicker: the entry above did not come true
            await self.parts.told(act, actor, name, outcome=Outcome.FAILED, why=str(error))
            raise

    async def _code(
        self, name: str, *, keep_second: bool = True, version: int | None = None
    ) -> str:
        code, parts = second.new_code(CODE_LENGTH), self.parts
        until = parts.now() + PASS_SECONDS
        await parts.in_records(
            parts.records.reset, name, second.digest(code), until, keep_second=keep_second,
            version=version,
        )  # fmt: skip
        return code

    async def _proved(
        self, session: Session, password: str, browser: Browser | None = None
    ) -> tuple[str, int]:
        """The account of the session, if the password is its, and its version.

        Failures count. What is then changed is changed of that version alone: a keeper who resets
        the account meanwhile is not undone by whoever knows the old password.
        """
        name = name_of(session.actor)
        if not name or session.kind is not SessionKind.USE:
            raise ForbiddenError("This session is not an account's.")
        return name, await self.door.check_password(name, password, browser)

    def _shown(self, session: Session, code: str) -> tuple[str, int]:
        pending = self._pending.get(session.key)
        now = self.parts.now()
        if pending is None or pending.until <= now:
            raise RefusedError("The second factor was shown too long ago: load the page again.")
        step = second.step_of(pending.secret, code, now, used=0)
        if step is None:
            raise RefusedError(
                "The code of the second factor is wrong: enter the one the app shows now. If it "
                "stays so, the clock of the phone or of this machine is wrong."
            )
        return pending.secret, step

    async def _keep_second(
        self, session: Session, name: str, secret: str, step: int, version: int
    ) -> tuple[list[str], int]:
        codes = second.new_recovery_codes()
        sealed = self.parts.seal.shut(name, secret)
        kept = await self.parts.in_records(
            self.parts.records.set_second, name, sealed, step, list(map(second.digest, codes)),
            version=version,
        )  # fmt: skip
        self._pending.pop(session.key, None)
        return codes, kept.version

    async def _keep_password(
        self, session: Session, name: str, password: str, browser: Browser | None, version: int
    ) -> None:
        """Whoever keeps it proved the old one or a one-time code: that browser is known."""
        parts = self.parts
        hashed = await parts.checker.hash(password)
        kept = None if browser is None else self.door.remembered()
        await self._done(
            "account.password", session.actor, name,
            parts.in_records(parts.records.set_password, name, hashed, kept, version=version),
        )  # fmt: skip
        self._ended(ACTOR + name)
        await self.door.give(browser, kept, name)

    def _ended(self, actor: str) -> None:
        self.sessions.close_all_of(actor)
        self.on_closed()


def _check(password: str, *known: str) -> None:
    try:
        check(password, *known)
    except WeakPasswordError as error:
        raise RefusedError(str(error)) from None
