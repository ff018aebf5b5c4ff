"""Who a device says it is: the system group, its chassis in ENTITY-MIB, its maker's objects."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from drivers.snmp import mib
from drivers.snmp.ber import Oid, Value, oid_text
from drivers.snmp.errors import AgentError, SnmpError
from drivers.snmp.ports import decode_text
from drivers.snmp.session import Session
from drivers.snmp.target import Budget
from drivers.snmp.vendorfile import Said, VendorFile, fitting

MAX_ENTITIES = 4_096
MAX_CHASSIS = 16
"""Members of a stack that are read."""
MAX_SAID = 64
"""Rows of a maker's table that are looked through for a serial number or a version."""
_VERSION = re.compile(r"\b[Vv]ersion:?\s+v?([^\s,;]+(?:\s\([^)\n]{1,60}\))?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chassis:
    """A chassis: one, or one a member of a stack."""

    index: int
    """entPhysicalIndex."""
    name: str | None
    model: str | None
    serial: str | None
    hardware: str | None
    firmware: str | None
    software: str | None
    position: int | None
    """entPhysicalParentRelPos: the member's number in most stacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The device as a whole; None is unknown."""

    descr: str | None
    object_id: str | None
    name: str | None
    uptime_ticks: int | None
    vendor: str | None
    model: str | None
    version: str | None
    serial: str | None
    engine_boots: int | None
    chassis: tuple[Chassis, ...] = ()


async def read_system(session: Session, budget: Budget | None = None) -> System:
    """GET the system group and the chassis; raises :class:`SnmpError` if the device is silent."""
    names = (mib.SYS_DESCR, mib.SYS_OBJECT_ID, mib.SYS_UPTIME, mib.SYS_NAME, mib.SNMP_ENGINE_BOOTS)
    descr, object_id, uptime, name, boots = await _get_what_there_is(session, names, budget)
    chassis = await read_chassis(session, budget)
    first = chassis[0] if chassis else None
    text = _text(descr)
    files = fitting(object_id if isinstance(object_id, tuple) else None, text or "")
    told = await _told(session, files, first, text or "", budget)
    return System(
        descr=text,
        object_id=oid_text(object_id) if isinstance(object_id, tuple) else None,
        name=_text(name),
        uptime_ticks=uptime if isinstance(uptime, int) else None,
        vendor=vendor(object_id),
        model=told.model,
        version=told.version or version(text or ""),
        serial=told.serial,
        engine_boots=boots if isinstance(boots, int) else None,
        chassis=chassis,
    )


async def _get_what_there_is(
    session: Session, names: Sequence[Oid], budget: Budget | None
) -> list[Value]:
    """GET all; if the agent refuses that, one by one. Raises only if each one failed."""
    try:
        return [bind.value for bind in await session.get(names, budget)]
    except AgentError as refusal:
        values: list[Value] = []
        refused = 0
        for name in names:
            try:
                values += [bind.value for bind in await session.get([name], budget)]
            except AgentError:
                values.append(None)
                refused += 1
        if refused == len(names):
            raise refusal from None
        return values


@dataclass(frozen=True, slots=True)
class _Told:
    model: str | None
    serial: str | None
    version: str | None


async def _told(
    session: Session,
    files: Sequence[VendorFile],
    first: Chassis | None,
    descr: str,
    budget: Budget | None,
) -> _Told:
    """Model, serial number and version: by the maker's own objects, else by the chassis."""

    async def by(saids: Iterable[Said], otherwise: str | None) -> str | None:
        for said in saids:
            text = await _said(session, said, descr, otherwise, budget)
            if text:
                return text
        return otherwise

    software = _version(first)
    return _Told(
        model=await by((s for f in files for s in f.system.model), first.model if first else None),
        serial=await by(
            (s for f in files for s in f.system.serial), first.serial if first else None
        ),
        version=await by((s for f in files for s in f.system.version), software),
    )


async def _said(
    session: Session, said: Said, descr: str, entity: str | None, budget: Budget | None
) -> str | None:
    """One source: the first row of it that says something."""
    if said.unless_entity and entity:
        return None
    texts: list[str | None] = [descr]
    if said.oid is not None:
        walk = await session.walk(said.oid, budget, MAX_SAID)
        texts = [_text(bind.value) for bind in walk.varbinds]
    for text in texts:
        if not text:
            continue
        if said.match is None:
            return text
        found = said.match.search(text)
        if found is not None:
            return " ".join(part for part in found.groups() if part) or found[0]
    return None


async def read_chassis(session: Session, budget: Budget | None = None) -> tuple[Chassis, ...]:
    """The chassis in ENTITY-MIB; none where a device has no such table. Never raises."""
    walk = await session.walk(mib.ENT_CLASS, budget, MAX_ENTITIES)
    rows = [
        bind.name[-1]
        for bind in walk.varbinds
        if bind.value == mib.ENT_CLASS_CHASSIS and len(bind.name) == len(mib.ENT_CLASS) + 1
    ][:MAX_CHASSIS]
    found = []
    columns = (
        mib.ENT_NAME,
        mib.ENT_DESCR,
        mib.ENT_MODEL,
        mib.ENT_SERIAL,
        mib.ENT_HARDWARE,
        mib.ENT_FIRMWARE,
        mib.ENT_SOFTWARE,
        mib.ENT_POSITION,
    )
    for row in rows:
        names: list[Oid] = [(*column, row) for column in columns]
        try:
            values = [bind.value for bind in await session.get(names, budget)]
        except SnmpError:
            break  # what a chassis is called is worth no more than one try
        name, descr, model, serial, hardware, firmware, software = map(_text, values[:-1])
        position = values[-1]
        found.append(
            Chassis(
                index=row,
                name=name or descr,
                model=model,
                serial=serial,
                hardware=hardware,
                firmware=firmware,
                software=software,
                position=position if isinstance(position, int) and position >= 0 else None,
            )
        )
    # The one with a model and a serial number is the device; empty ones are agents' placeholders.
    return tuple(sorted(found, key=lambda one: (one.model is None, one.serial is None)))


def vendor(object_id: Value) -> str | None:
    """The maker, from the enterprise number in sysObjectID."""
    size = len(mib.ENTERPRISES)
    if not isinstance(object_id, tuple) or object_id[:size] != mib.ENTERPRISES:
        return None
    return mib.VENDORS.get(object_id[size]) if len(object_id) > size else None


def version(descr: str) -> str | None:
    """What follows the word Version in sysDescr, as most makers write it."""
    found = _VERSION.search(descr)
    return found.group(1) if found else None


def _version(chassis: Chassis | None) -> str | None:
    said = (chassis.software or chassis.firmware) if chassis is not None else None
    return re.sub(r"^[Vv]ersion:?\s+", "", said) if said else None


def _text(value: Value) -> str | None:
    return decode_text(value).strip() or None if isinstance(value, bytes) else None
