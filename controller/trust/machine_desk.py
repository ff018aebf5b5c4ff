"""What people and machines ask: tokens, enrolment, renewal, revocation. The ledger first.

A machine's certificate says what the token, the manifest or the certificate before was bound to;
of a request nothing counts but its key. Every refusal that could help somebody guess is one
and the same sentence.
"""

import asyncio
import base64
import binascii
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from controller.house import InThread
from controller.store.protocols import NS, StoreError
from controller.trust.attempts import Attempts
from controller.trust.authorities import Authorities
from controller.trust.ca import LIFETIMES, CaError, Names, issue, pem, renew_after
from controller.trust.crl import CrlKeeper
from controller.trust.entries import Entry, Ledger, LedgerError, Outcome
from controller.trust.machine_records import Issued, MachineRecords, Seen
from controller.trust.machine_standing import Memory, Refusal, Standing, Word, standing_of
from controller.trust.papers import MachineError, Papers
from controller.trust.registry import Certificate, Machine, Registry
from tenone.runtime.clock import Clock
from tenone.trust.enrolment import (
    NONCE_BYTES,
    EnrolmentError,
    Renewal,
    Token,
    key_of_csr,
    load_certificates,
    spki_hash,
)
from tenone.trust.names import MachineKind, MachineName
from tenone.vocabulary.scope import IdentifierError, ScopePath

TOKEN_SECONDS = 24 * 3600
LONGEST_TOKEN_SECONDS = 30 * 24 * 3600
CLOCK_NS = 300 * NS
"""A renewal signed longer ago, or so far ahead, is refused with our own time."""
MOST_NONCES = 100
"""That a machine may use within the minutes a request can pass; others it cannot hold up."""
MOST_CERTIFICATES = 12
"""That a machine may hold at a time: one who has stolen a key cannot fill the records."""
Detail = Mapping[str, str | int | float | bool | None]
NO_TOKEN = "This token is wrong, used, replaced or too old: ask for a new one."  # noqa: S105 - a sentence
NO_RENEWAL = (
    "This certificate cannot be renewed: it is unknown, expired or revoked, or the request is not "
    "signed with its key. Enrol again with a new token."
)
OVERTAKEN = "This machine was revoked or enrolled anew at this moment; nothing was issued."


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskParts:
    """What the desk works with."""

    city: str
    authorities: Authorities
    records: MachineRecords
    registry: Registry
    crl: CrlKeeper
    clock: Clock
    ledger: Ledger
    in_records: InThread
    scope_of: Callable[[MachineName], ScopePath | None]
    """Where a machine belongs; None: its school is not configured."""
    lifetimes: Mapping[MachineKind, int] = field(default_factory=lambda: LIFETIMES)
    crl_url: str | None = None
    approval_keys: Callable[[], str | None] = lambda: None
    """The key set that a school pins when it is enrolled (:mod:`tenone.trust.approval_keys`)."""
    memory: Memory = field(default_factory=Memory)
    """What was refused lately, and what gateways say of their certificates."""


class MachineDesk:
    """See the module. Its methods raise MachineError, LedgerError, CaError and StoreError."""

    def __init__(self, parts: DeskParts) -> None:
        self._parts = parts
        self._attempts = Attempts()
        self._opening = asyncio.Lock()
        self._nonces: dict[str, OrderedDict[bytes, int]] = {}
        """By machine, and so no more than are enrolled: nobody else gets as far as this."""

    @property
    def registry(self) -> Registry:
        """How machines stand."""
        return self._parts.registry

    def machines(self) -> Sequence[Machine]:
        """All that are or were enrolled, or invited."""
        return self._parts.registry.machines()

    def scope_of(self, text: str) -> tuple[MachineName, ScopePath]:
        """A machine's name, checked, and where it belongs; MachineError 400 or 404."""
        try:
            name = MachineName.parse(text)
        except IdentifierError as error:
            raise MachineError(400, "name", f"{error}.") from None
        scope = self._parts.scope_of(name)
        if scope is None:
            raise MachineError(
                404, "school", f"The school of {name} is not in the city's configuration."
            )
        return name, scope

    def standing(self) -> Standing:
        """Authorities, revocation list, what was refused in the last day; from memory."""
        parts = self._parts
        return standing_of(
            parts.authorities,
            parts.crl,
            self.machines(),
            parts.memory,
            parts.clock.wall_ns() / NS,
        )

    def word(self, machine: Machine) -> Word | None:
        """What its gateway says is wrong with its certificate; None: nothing, or not heard."""
        return self._parts.memory.word(machine)

    # -- people ---------------------------------------------------------------------------

    async def token(self, text: str, *, by: str, seconds: int = TOKEN_SECONDS) -> tuple[Token, int]:
        """A new one-time token for a machine, and when it ends (seconds of the epoch)."""
        parts = self._parts
        name, scope = self.scope_of(text)
        if name.kind is MachineKind.SERVER:
            raise MachineError(
                400, "kind", "A server's certificate is made with 'tenone enrol server'."
            )
        if not 60 <= seconds <= LONGEST_TOKEN_SECONDS:  # noqa: PLR2004 - a minute
            raise MachineError(400, "seconds", "A token lasts from a minute to thirty days.")
        await self.open(make=True)
        token = Token.new(parts.authorities.issuing.spki)
        now_ns = parts.clock.wall_ns()
        expires_ns = now_ns + seconds * NS
        detail: Detail = {"expires": expires_ns // NS, "token": token.digest[:16]}
        await self._tell("machine.token", by, name, scope, detail=detail)
        await parts.in_records(
            parts.records.invite,
            str(name),
            scope,
            token.digest,
            by=by,
            now_ns=now_ns,
            expires_ns=expires_ns,
            told=True,
        )
        if parts.registry.find(str(name)) is None:
            parts.registry.put(Machine(name=str(name), scope=scope, invited_ns=now_ns))
        return token, expires_ns // NS

    async def revoke(self, text: str, *, why: str, by: str) -> Machine:
        """No certificate and no token of a machine counts any more; its sessions are cut."""
        parts = self._parts
        found = parts.registry.find(text)
        if found is None:
            raise MachineError(404, "unknown", f"There is no machine {text[:64]!a}.")
        await self._tell("machine.revoke", by, found.parsed, found.scope, detail={"why": why[:400]})
        await parts.in_records(parts.records.revoke, text, why[:400], parts.clock.wall_ns())
        fresh = await parts.in_records(parts.records.machine, text)
        if fresh is None:
            raise MachineError(404, "unknown", f"There is no machine {text[:64]!a}.")
        parts.registry.put(fresh)  # whoever cuts sessions hears of it before the list is made
        await self.make_lists()
        return fresh

    # -- machines -------------------------------------------------------------------------

    async def enrol(self, *, token: str | None, csr: str, client: str) -> Papers:
        """A certificate for a one-time token, or for a key that a factory manifest names."""
        try:
            key = key_of_csr(csr)
            spent = None if token is None else Token.parse(token)
        except EnrolmentError as error:
            raise self._failed(client, MachineError(400, "request", f"{error}.")) from None
        await self.open()
        if spent is None:
            return await self._enrol_factory_key(key, client)
        parts = self._parts
        now_ns = parts.clock.wall_ns()
        used = await parts.in_records(parts.records.spend, spent.digest, now_ns)
        if used is None:
            refusal = self._failed(client, MachineError(403, "token", NO_TOKEN))
            detail: Detail = {"token": spent.digest[:16]}
            raise await self._refused(refusal, "machine.enrol", client, detail=detail)
        try:
            name, scope = self.scope_of(used.machine)
            return await self._issue(
                name, scope, key, how="token", seen=Seen(revoked_ns=used.revoked_ns)
            )
        except (MachineError, LedgerError, StoreError, CaError):
            with suppress(StoreError):  # then it stays used: a new one can be had
                await parts.in_records(parts.records.unspend, spent.digest)
            raise

    async def _enrol_factory_key(self, key: ec.EllipticCurvePublicKey, client: str) -> Papers:
        parts = self._parts
        digest = spki_hash(key).hex()
        bound = await parts.in_records(parts.records.machine_of_factory_key, digest)
        known = None if bound is None else parts.registry.find(bound)
        if bound is None or (known is not None and known.revoked_ns is not None):
            sentence = (
                "No manifest of this city names the key of this request, or its machine is revoked."
            )
            refusal = self._failed(client, MachineError(403, "factory", sentence))
            raise await self._refused(refusal, "machine.enrol", client, detail={"key": digest[:16]})
        name, scope = self.scope_of(bound)
        return await self._issue(name, scope, key, how="factory", seen=Seen(revoked_ns=None))

    async def renew(self, *, renewal: Renewal, signature: str, client: str) -> Papers:
        """The next certificate, for a request signed with the key of the present one."""
        parts = self._parts
        found = await parts.in_records(parts.records.chain, renewal.serial)
        own = None if found is None or not found[1] else load_certificates(found[1].encode())[0]
        name = "" if found is None else found[0]
        try:
            key = key_of_csr(renewal.csr)
            signed = base64.b64decode(signature, validate=True)
        except (EnrolmentError, binascii.Error, ValueError) as error:
            raise self._failed(client, MachineError(400, "request", f"{error}.")) from None
        await self.open()
        if own is None or not renewal.verify(signed, own) or not self._counts(name, own):
            refusal = self._failed(client, MachineError(403, "renewal", NO_RENEWAL))
            raise await self._refused(refusal, "machine.renew", client, subject=name)
        now_ns = parts.clock.wall_ns()
        if abs(now_ns - renewal.wall_ns) > CLOCK_NS:
            raise MachineError(
                409, "clock", "The request was signed at another time than the controller's."
            )
        if not self._is_fresh(name, renewal.nonce, now_ns):
            refusal = self._failed(client, MachineError(409, "replay", "This request came before."))
            raise await self._refused(refusal, "machine.renew", client, subject=name)
        digest = spki_hash(key).hex()
        again = await parts.in_records(parts.records.chain_of_key, name, digest, now_ns // NS)
        if again is not None and digest != spki_hash(own.public_key()).hex():
            return self._papers(name, again)  # the answer was lost; the request came again
        machine = parts.registry.find(name)
        held = [] if machine is None else machine.certificates
        if sum(one.not_after > now_ns // NS for one in held) >= MOST_CERTIFICATES:
            raise MachineError(429, "too-many", "This machine holds too many certificates.")
        parsed, scope = self.scope_of(name)
        seen = Seen(revoked_ns=None, serial=f"{own.serial_number:x}")
        return await self._issue(parsed, scope, key, how="renewal", seen=seen)

    # -- lists ------------------------------------------------------------------------------

    async def open(self, *, make: bool = False) -> None:
        """Read the authority; with ``make`` there is one afterwards, and the ledger knows of it."""
        parts = self._parts
        async with self._opening:
            if parts.authorities.exists():
                if await parts.in_records(parts.authorities.reload):
                    await self.make_lists()
                return
            if not make:
                raise MachineError(404, "none", "This city has no certificate authority yet.")
            await parts.ledger.write(Entry(act="authority.create", actor="system"))
            await parts.in_records(parts.authorities.open, parts.clock.wall_ns() // NS)
            await self.make_lists()

    async def bundle(self) -> bytes:
        """What a token vouches for: the issuing authority, then the roots to trust, PEM."""
        await self.open()
        authorities = self._parts.authorities
        issuing = authorities.issuing
        return (pem(issuing.certificate) if issuing.above else b"") + authorities.bundle

    def crl(self, authority: str | None) -> bytes | None:
        """A list of revoked certificates, DER; None where there is none such."""
        lists = self._parts.crl.lists
        return lists.der.get(lists.issuing if authority is None else authority)

    async def make_lists(self) -> None:
        """New lists of revoked certificates, written and served from now on."""
        await self._parts.in_records(self._parts.crl.make, self._parts.clock.wall_ns())

    # -- inside -------------------------------------------------------------------------------

    def _counts(self, name: str, own: x509.Certificate) -> bool:
        """Whether a certificate may still be renewed."""
        parts = self._parts
        machine = parts.registry.find(name)
        now = parts.clock.wall_ns() // NS
        serial = f"{own.serial_number:x}"
        return (
            machine is not None
            and machine.revoked_ns is None
            and own.not_valid_after_utc.timestamp() > now
            and any(one.serial == serial and not one.revoked_ns for one in machine.certificates)
        )

    def _is_fresh(self, name: str, nonce: bytes, now_ns: int) -> bool:
        """Whether this request comes for the first time; remembers it as long as it could pass."""
        used = self._nonces.setdefault(name, OrderedDict())
        while used and next(iter(used.values())) < now_ns - 2 * CLOCK_NS:
            used.popitem(last=False)
        if nonce in used or len(nonce) != NONCE_BYTES or len(used) >= MOST_NONCES:
            return False
        used[nonce] = now_ns
        return True

    async def _issue(
        self,
        name: MachineName,
        scope: ScopePath,
        key: ec.EllipticCurvePublicKey,
        *,
        how: str,
        seen: Seen,
    ) -> Papers:
        parts = self._parts
        now_ns = parts.clock.wall_ns()
        made = make_certificate(parts, name, key, now_ns)
        chain = parts.authorities.chain(made).decode("ascii")
        one = certificate_of(made, parts.authorities.issuing.id, now_ns)
        act = "machine.renew" if how == "renewal" else "machine.enrol"
        detail: Detail = {
            "serial": one.serial,
            "key": one.key[:16],
            "until": one.not_after,
            "how": how,
        }
        await self._tell(act, f"machine:{name}", name, scope, detail=detail)
        issued = Issued(certificate=one, machine=str(name), how=how, chain=chain)
        kept = await parts.in_records(parts.records.add, [issued], scope, now_ns, seen=seen)
        if not kept:  # the entry above did not come true
            await self._tell(act, f"machine:{name}", name, scope, detail=detail, done=False)
            raise MachineError(403, "overtaken", OVERTAKEN)
        before = parts.registry.find(str(name))
        parts.registry.issued(str(name), scope, one, renewed=how == "renewal")
        if how != "renewal" and before is not None and before.certificates:
            await self.make_lists()  # what it held before counts no longer
        return self._papers(str(name), chain)

    def _papers(self, machine: str, chain: str) -> Papers:
        parts = self._parts
        own = load_certificates(chain.encode("ascii"))[0]
        return Papers(
            machine=machine,
            chain=chain,
            bundle=parts.authorities.bundle.decode("ascii"),
            crl=parts.crl.lists.pem.decode("ascii"),
            approval_keys=parts.approval_keys(),
            renew_after=renew_after(own),
            not_after=round(own.not_valid_after_utc.timestamp()),
        )

    def _failed(self, client: str, error: MachineError) -> MachineError:
        """``error``, or that it was one too many: who has a right to an answer is never slowed."""
        now = self._parts.clock.monotonic_ns() / NS
        wait = self._attempts.wait(now, client)
        if wait > 0:
            return MachineError(
                429, "too-many", "Too many refused attempts: wait a minute.", retry_seconds=wait
            )
        self._attempts.failed(now, client)
        return error

    async def _tell(
        self,
        act: str,
        by: str,
        name: MachineName,
        scope: ScopePath,
        *,
        detail: Detail,
        done: bool = True,
    ) -> None:
        outcome = Outcome.DONE if done else Outcome.FAILED
        await self._parts.ledger.write(
            Entry(
                act=act, actor=by, scope=str(scope), subject=str(name), outcome=outcome,
                detail=detail,
            )
        )  # fmt: skip

    async def _refused(
        self,
        error: MachineError,
        act: str,
        client: str,
        *,
        subject: str = "",
        detail: Detail | None = None,
    ) -> MachineError:
        """``error``, told to the ledger unless there are too many; refused all the same without."""
        entry = Entry(
            act=act,
            actor="machine:unknown",
            subject=subject,
            outcome=Outcome.REFUSED,
            detail={"client": client[:64], "code": error.code, **(detail or {})},
        )
        if error.retry_seconds == 0:
            self._parts.memory.refused(
                Refusal(
                    at=self._parts.clock.wall_ns() / NS,
                    act=act,
                    code=error.code,
                    client=client[:64],
                    machine=subject,
                )
            )
            with suppress(LedgerError):
                await self._parts.ledger.write(entry)
        return error


def make_certificate(
    parts: DeskParts, name: MachineName, key: ec.EllipticCurvePublicKey, now_ns: int
) -> x509.Certificate:
    """A certificate of the issuing authority."""
    authority = parts.authorities.issuing
    url = None if parts.crl_url is None else f"{parts.crl_url}/{authority.id}"
    return issue(
        authority,
        Names(machine=name, city=parts.city),
        key,
        now=now_ns // NS,
        lifetime=parts.lifetimes[name.kind],
        crl_url=url,
    )


def certificate_of(made: x509.Certificate, authority: str, now_ns: int) -> Certificate:
    """What the records keep of it."""
    return Certificate(
        serial=f"{made.serial_number:x}",
        authority=authority,
        key=spki_hash(made.public_key()).hex(),
        issued_ns=now_ns,
        not_before=round(made.not_valid_before_utc.timestamp()),
        not_after=round(made.not_valid_after_utc.timestamp()),
    )
