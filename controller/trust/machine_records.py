"""Machines in the records. Methods block; they run in the records' thread or on the console."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from controller.store.protocols import NS
from controller.store.records import SqlRecords
from controller.trust.acts import UNKNOWN_CONSOLE
from controller.trust.ca import Revoked
from controller.trust.machine_tables import (
    EnrolmentTokenRow,
    FactoryKeyRow,
    MachineCertificateRow,
    MachineRow,
)
from controller.trust.registry import Certificate, Machine
from tenone.vocabulary.scope import ScopePath

KEEP_NS = 400 * 86_400 * NS
"""Rows outlive what they are about by more than a year."""
LISTED_AFTER = 86_400
"""A revoked certificate stays on the list a day longer than it would have been valid."""

NOBODY = ""
"""Whose a factory key is that counts no more; a manifest that is imported again changes nothing."""
OVERLAPPING = frozenset({"renewal", "server"})
"""Whose certificate before goes on: a server shows it until it has read the new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate to be kept."""

    certificate: Certificate
    machine: str
    how: str
    chain: str
    told: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How a machine stood when a certificate was asked for."""

    revoked_ns: int | None
    serial: str | None = None
    """Of the certificate that is renewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """A token that was just used."""

    machine: str
    revoked_ns: int | None
    """When the machine had been revoked."""
    issued_by: str
    issued_ns: int
    told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """Something done on the console that the ledger has not heard of."""

    act: str
    machine: str
    key: str
    by: str


class MachineRecords:
    """See the module; raises :class:`StoreError` throughout."""

    def __init__(self, records: SqlRecords) -> None:
        self._records = records

    def load(self, now: int) -> list[Machine]:
        """Every machine with its certificates that still count or did a month ago."""
        with self._records.unit() as unit:
            certificates: dict[str, list[Certificate]] = {}
            for row in unit.execute(
                sa.select(*_COLUMNS)
                .where(MachineCertificateRow.not_after > now - 30 * 86_400)
                .order_by(MachineCertificateRow.issued_ns)
            ):
                certificates.setdefault(row.machine, []).append(_certificate(row))
            return [
                _machine(row, certificates.get(row.name, ()))
                for row in unit.scalars(sa.select(MachineRow))
            ]

    def machine(self, name: str) -> Machine | None:
        """One of them."""
        with self._records.unit() as unit:
            row = unit.get(MachineRow, name)
            if row is None:
                return None
            found = unit.execute(
                sa.select(*_COLUMNS)
                .where(MachineCertificateRow.machine == name)
                .order_by(MachineCertificateRow.issued_ns)
            )
            return _machine(row, [_certificate(one) for one in found])

    # -- tokens -----------------------------------------------------------------------------

    def invite(
        self,
        machine: str,
        scope: ScopePath,
        digest: str,
        *,
        by: str,
        now_ns: int,
        expires_ns: int,
        told: bool,
    ) -> None:
        """Keep a new token; those before it for the same machine no longer count."""
        with self._records.unit() as unit:
            if unit.get(MachineRow, machine) is None:
                unit.add(_new_machine(machine, scope, now_ns))
            unit.execute(
                sa.update(EnrolmentTokenRow)
                .where(EnrolmentTokenRow.machine == machine, EnrolmentTokenRow.expires_ns > now_ns)
                .values(expires_ns=now_ns)
            )
            unit.add(
                EnrolmentTokenRow(
                    digest=digest,
                    machine=machine,
                    issued_by=by,
                    issued_ns=now_ns,
                    expires_ns=expires_ns,
                    used_ns=None,
                    told=told,
                )
            )

    def spend(self, digest: str, now_ns: int) -> Spent | None:
        """Use a token up; None where there is none such, or it was used, or is too old.

        One statement decides, so of two who race with one token one gets it.
        """
        row = EnrolmentTokenRow
        with self._records.unit() as unit:
            done = unit.execute(
                sa.update(row)
                .where(row.digest == digest, row.used_ns.is_(None), row.expires_ns > now_ns)
                .values(used_ns=now_ns)
                .returning(row.machine, row.issued_by, row.issued_ns, row.told)
            ).one_or_none()
            if done is None:
                return None
            machine = unit.get(MachineRow, done.machine)
            return Spent(
                machine=done.machine,
                revoked_ns=None if machine is None else machine.revoked_ns,
                issued_by=done.issued_by,
                issued_ns=done.issued_ns,
                told=done.told,
            )

    def unspend(self, digest: str) -> None:
        """What it was used for was not done: it may be tried again."""
        row = EnrolmentTokenRow
        with self._records.unit() as unit:
            unit.execute(sa.update(row).where(row.digest == digest).values(used_ns=None))

    # -- certificates -----------------------------------------------------------------------

    def add(
        self,
        issued: Iterable[Issued],
        scope: ScopePath,
        now_ns: int,
        *,
        seen: Seen | None = None,
    ) -> bool:
        """Keep certificates that were made; a machine that was revoked counts again.

        False, and nothing is kept, where somebody was quicker than who had ``seen`` how it stands.
        """
        with self._records.unit() as unit:
            for one in issued:
                machine = unit.get(MachineRow, one.machine)
                if seen is not None and _overtaken(unit, machine, seen):
                    return False
                if machine is None:
                    machine = _new_machine(one.machine, scope, now_ns)
                    unit.add(machine)
                if one.how != "renewal":
                    machine.revoked_ns, machine.why = None, ""
                    machine.enrolled_ns = now_ns
                if one.how not in OVERLAPPING:
                    _supersede(unit, one.machine, now_ns)
                    _bar_factory_keys(unit, one.machine, but=one.certificate.key)
                unit.add(_row(one))
        return True

    def chain(self, serial: int) -> tuple[str, str] | None:
        """Machine and PEM of the certificate with this serial."""
        with self._records.unit() as unit:
            row = unit.get(MachineCertificateRow, f"{serial:x}")
            return None if row is None else (row.machine, row.chain)

    def chain_of_key(self, machine: str, key: str, now: int) -> str | None:
        """PEM of a certificate that ``machine`` holds for this key and that still counts."""
        row = MachineCertificateRow
        with self._records.unit() as unit:
            return unit.scalars(
                sa.select(row.chain)
                .where(
                    row.machine == machine,
                    row.key == key,
                    row.revoked_ns.is_(None),
                    row.not_after > now,
                )
                .order_by(row.issued_ns.desc())
                .limit(1)
            ).one_or_none()

    def revoke(self, machine: str, why: str, now_ns: int) -> int:
        """None of its certificates, open tokens and factory keys counts any more.

        Returns how many certificates were cut.
        """
        with self._records.unit() as unit:
            unit.execute(
                sa.update(MachineRow)
                .where(MachineRow.name == machine)
                .values(revoked_ns=now_ns, why=why)
            )
            unit.execute(
                sa.update(EnrolmentTokenRow)
                .where(EnrolmentTokenRow.machine == machine, EnrolmentTokenRow.expires_ns > now_ns)
                .values(expires_ns=now_ns)
            )
            _bar_factory_keys(unit, machine)
            row = MachineCertificateRow
            cut = unit.execute(
                sa.update(row)
                .where(
                    row.machine == machine,
                    row.revoked_ns.is_(None),
                    row.not_after > now_ns // NS,
                )
                .values(revoked_ns=now_ns)
                .returning(row.serial)
            )
            return len(cut.all())

    def revoked_machines(self) -> set[str]:
        """Names of all machines that are revoked."""
        with self._records.unit() as unit:
            return set(
                unit.scalars(sa.select(MachineRow.name).where(MachineRow.revoked_ns.is_not(None)))
            )

    def revoked(self, now: int) -> dict[str, list[Revoked]]:
        """What the lists hold, by authority."""
        row = MachineCertificateRow
        found: dict[str, list[Revoked]] = {}
        with self._records.unit() as unit:
            rows = unit.execute(
                sa.select(row.authority, row.serial, row.revoked_ns).where(
                    row.revoked_ns.is_not(None), row.not_after > now - LISTED_AFTER
                )
            )
            for authority, serial, revoked_ns in rows:
                entry = Revoked(int(serial, 16), (revoked_ns or 0) // NS)
                found.setdefault(authority, []).append(entry)
        return found

    # -- factory keys -------------------------------------------------------------------------

    def add_factory_keys(
        self, keys: Sequence[tuple[str, str]], manifest: str, *, now_ns: int, told: bool
    ) -> int:
        """Keep (key hash, machine) pairs; returns how many were new. A pair that is there stays."""
        with self._records.unit() as unit:
            known = set(unit.scalars(sa.select(FactoryKeyRow.key)))
            fresh = [(key, machine) for key, machine in keys if key not in known]
            for key, machine in fresh:
                unit.add(
                    FactoryKeyRow(
                        key=key, machine=machine, manifest=manifest, imported_ns=now_ns, told=told
                    )
                )
            return len(fresh)

    def machine_of_factory_key(self, key: str) -> str | None:
        """Which machine a manifest binds this key to."""
        with self._records.unit() as unit:
            row = unit.get(FactoryKeyRow, key)
            return None if row is None or row.machine == NOBODY else row.machine

    # -- what was done on the console ----------------------------------------------------------

    def untold(self) -> list[Untold]:
        """What the ledger is still to hear, oldest kinds first."""
        with self._records.unit() as unit:
            tokens = unit.scalars(sa.select(EnrolmentTokenRow).where(~EnrolmentTokenRow.told))
            found = [
                Untold(act="machine.token", machine=one.machine, key=one.digest, by=one.issued_by)
                for one in tokens
            ]
            issued = unit.scalars(
                sa.select(MachineCertificateRow).where(~MachineCertificateRow.told)
            )
            found += [
                Untold(act="machine.issue", machine=one.machine, key=one.serial, by=UNKNOWN_CONSOLE)
                for one in issued
            ]
            factory = unit.scalars(sa.select(FactoryKeyRow).where(~FactoryKeyRow.told))
            return found + [
                Untold(act="machine.manifest", machine=one.machine, key=one.key, by=UNKNOWN_CONSOLE)
                for one in factory
            ]

    def mark_told(self, one: Untold) -> None:
        """The ledger has it."""
        with self._records.unit() as unit:
            match one.act:
                case "machine.token":
                    where = EnrolmentTokenRow.digest == one.key
                    unit.execute(sa.update(EnrolmentTokenRow).where(where).values(told=True))
                case "machine.issue":
                    where = MachineCertificateRow.serial == one.key
                    unit.execute(sa.update(MachineCertificateRow).where(where).values(told=True))
                case _:
                    where = FactoryKeyRow.key == one.key
                    unit.execute(sa.update(FactoryKeyRow).where(where).values(told=True))

    def prune(self, now_ns: int) -> None:
        """Drop what was over more than a year ago."""
        before_ns = now_ns - KEEP_NS
        row = MachineCertificateRow
        with self._records.unit() as unit:
            unit.execute(sa.delete(row).where(row.not_after < before_ns // NS))
            over = row.not_after < now_ns // NS - 30 * 86_400
            unit.execute(sa.update(row).where(over, row.chain != "").values(chain=""))
            unit.execute(
                sa.delete(EnrolmentTokenRow).where(EnrolmentTokenRow.expires_ns < before_ns)
            )


def _overtaken(unit: Session, machine: MachineRow | None, seen: Seen) -> bool:
    """Whether it was revoked or replaced while its certificate was made and ledgered."""
    if machine is not None and machine.revoked_ns != seen.revoked_ns:
        return True
    if seen.serial is None:
        return False
    renewed = unit.get(MachineCertificateRow, seen.serial)
    return renewed is None or renewed.revoked_ns is not None


def _supersede(unit: Session, machine: str, now_ns: int) -> None:
    """Who is enrolled anew is somebody else: what the one before holds counts no longer."""
    row = MachineCertificateRow
    unit.execute(
        sa.update(row)
        .where(row.machine == machine, row.revoked_ns.is_(None))
        .values(revoked_ns=now_ns)
    )


def _bar_factory_keys(unit: Session, machine: str, *, but: str = "") -> None:
    """For good: whoever has such a key could otherwise take the place of the machine's next one."""
    row = FactoryKeyRow
    unit.execute(
        sa.update(row).where(row.machine == machine, row.key != but).values(machine=NOBODY)
    )


def _new_machine(name: str, scope: ScopePath, now_ns: int) -> MachineRow:
    return MachineRow(
        name=name, scope=str(scope), invited_ns=now_ns, enrolled_ns=None, revoked_ns=None, why=""
    )


def _row(issued: Issued) -> MachineCertificateRow:
    one = issued.certificate
    return MachineCertificateRow(
        serial=one.serial,
        machine=issued.machine,
        authority=one.authority,
        key=one.key,
        how=issued.how,
        issued_ns=one.issued_ns,
        not_before=one.not_before,
        not_after=one.not_after,
        revoked_ns=one.revoked_ns,
        told=issued.told,
        chain=issued.chain,
    )


_COLUMNS = (
    MachineCertificateRow.machine,
    MachineCertificateRow.serial,
    MachineCertificateRow.authority,
    MachineCertificateRow.key,
    MachineCertificateRow.issued_ns,
    MachineCertificateRow.not_before,
    MachineCertificateRow.not_after,
    MachineCertificateRow.revoked_ns,
)
"""All but the PEM text."""


def _certificate(row: Any) -> Certificate:
    return Certificate(
        serial=row.serial,
        authority=row.authority,
        key=row.key,
        issued_ns=row.issued_ns,
        not_before=row.not_before,
        not_after=row.not_after,
        revoked_ns=row.revoked_ns,
    )


def _machine(row: MachineRow, certificates: Sequence[Certificate]) -> Machine:
    return Machine(
        name=row.name,
        scope=ScopePath.parse(row.scope),
        certificates=tuple(certificates),
        invited_ns=row.invited_ns,
        enrolled_ns=row.enrolled_ns,
        revoked_ns=row.revoked_ns,
        why=row.why,
    )
