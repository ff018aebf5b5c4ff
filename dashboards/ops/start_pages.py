"""What there is to do for whoever administers: found from what the controller knows now."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from controller.api.access import may_anywhere, reach_of
from controller.api.people_access import in_problems, people_of
from controller.api.routers.machines import refusals_for
from controller.api.routers.users import state_of
from controller.api.services import Services
from controller.api.sessions import Session
from controller.store.protocols import NS
from controller.trust.people.door import name_of
from controller.trust.people.model import keeps_users
from controller.trust.people.open_sessions import OpenSessions
from dashboards.ops import keeping_phrases as k
from dashboards.ops.keeping_words import KeepingWords
from dashboards.ops.key_site import state_of_key
from dashboards.ops.machine_pages import Places, all_rows, counted, uncut
from tenone.vocabulary.roles import Permission

DAY = 86_400
FEW_CODES = 3
LEDGER = "ledger"
AUDITED = frozenset({LEDGER, "anchors", "witnesses"})
"""Parts that an audit administrator answers for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """One thing to do, the worst of a group first."""

    mark: str
    text: str
    href: str = ""
    said: str = ""
    """What a part of the controller says itself, in English."""


Group = tuple[str, Sequence[Todo]]


async def to_do(services: Services, session: Session, words: KeepingWords) -> list[Group]:
    """Groups of what this session may do something about; a group with nothing is empty."""
    groups: list[Group] = []
    if may_anywhere(session, Permission.KEEP_MACHINES):
        groups.append(("machines", _machines(services, session, words)))
    if may_anywhere(session, Permission.KEEP_USERS):
        groups.append(("accounts", await _accounts(services, session, words)))
    if may_anywhere(session, Permission.KEEP_SYSTEM):
        groups.append(("system", await _system(services, session, words)))
    elif may_anywhere(session, Permission.READ_AUDIT):
        groups.append(("system", _unready(services, words, only=AUDITED)))
    if name_of(session.actor) and services.people is not None:
        groups.append(("own", await _own(services, session, words)))
    return groups


def _machines(services: Services, session: Session, words: KeepingWords) -> list[Todo]:
    now, say = services.now(), words.words.language.text
    rows = all_rows(services, Places(services, session, words.words.language), now)
    counts = counted(rows)
    lately = [
        row for row in rows
        if row.machine and (row.machine.revoked_ns or 0) > (now - DAY) * NS
    ]  # fmt: skip
    standing = services.machines.standing()
    refused = refusals_for(services, session, standing)
    unheard = max((one.behind for one in standing.authorities[1:]), default=0)
    found: list[tuple[int, str, str, str]] = [
        (counts["expired"], "crit", k.EXPIRED_TODO, "/machines?state=expired"),
        (uncut(lately), "crit", k.UNCUT_TODO, "/machines?state=revoked"),
        (counts["late"], "warn", k.LATE_TODO, "/machines?state=late"),
        (unheard, "warn", k.ROOT_TODO, "/machines"),
        (len(refused), "warn", k.REFUSED_TODO, "/machines"),
        (counts["invited"], "unverified", k.INVITED_TODO, "/machines?state=invited"),
        (counts["absent"], "unknown", k.ABSENT_TODO, "/machines?state=absent"),
    ]
    todo = [
        Todo(mark=mark, text=say(text, n=count), href=href)
        for count, mark, text, href in found
        if count
    ]
    crl = standing.crl
    if crl is not None and crl.low(now):
        text = say(k.LIST_TODO, when=words.when(crl.until))
        if not crl.written:
            text = f"{say(k.LIST_UNWRITTEN_TODO)}. {text}"
        todo.insert(0, Todo(mark="crit", text=text, href="/machines"))
    return todo


async def _accounts(services: Services, session: Session, words: KeepingWords) -> list[Todo]:
    if services.people is None:
        return []
    people, now, say = people_of(services), services.now(), words.words.language.text
    with in_problems():
        accounts = await people.all(session.grants)
        keys = [] if services.keys is None else await services.keys.all(session.grants)
    states = [state_of(one, now) for one in accounts]
    key_states = [state_of_key(one, now) for one in keys]
    lacking = sum(
        one.enabled and one.usable and people.must_have_second(one) and not one.has_second_factor
        for one in accounts
    )
    # Who keeps the whole city sees everybody, and so knows whether there is a second one.
    alone = (
        any(not scope.parts for scope in reach_of(session, Permission.KEEP_USERS))
        and sum(map(keeps_users, accounts)) == 1
    )
    found: list[tuple[int, str, str, str]] = [
        (states.count("locked"), "crit", k.LOCKED_TODO, "/users"),
        (int(alone), "warn", k.ALONE_TODO, "/users"),
        (lacking, "warn", k.FACTOR_TODO, "/users"),
        (key_states.count("soon"), "warn", k.KEYS_TODO, "/keys"),
        (states.count("new"), "unverified", k.UNUSED_TODO, "/users"),
        (key_states.count("expired"), "unknown", k.KEYS_OVER_TODO, "/keys"),
    ]
    return [
        Todo(mark=mark, text=say(text, n=count) if "%(" in text else say(text), href=href)
        for count, mark, text, href in found
        if count
    ]


async def _system(services: Services, session: Session, words: KeepingWords) -> list[Todo]:
    say = words.words.language.text
    todo = _unready(services, words)
    scopes = reach_of(session, Permission.KEEP_SYSTEM)
    if any(services.enforcement.standing(scope).stops for scope in scopes):
        todo.append(Todo(mark="crit", text=say(k.STOP_TODO), href="/repairs"))
    gaps = 0
    at_ns = services.clock.wall_ns()
    for scope in scopes:
        gaps += len(await services.office.gaps(scope, at_ns))
    if gaps:
        todo.append(Todo(mark="warn", text=say(k.DUTY_TODO, n=gaps), href="/handbook/incidents.md"))
    return todo


def _unready(services: Services, words: KeepingWords, *, only: Collection[str] = ()) -> list[Todo]:
    """Parts that are not ready, as they say themselves; or ``only`` some of them."""
    say = words.words.language.text
    found = [one for one in (source() for source in services.health) if not one.ready]
    return [
        Todo(
            mark="crit",
            text=say(k.LEDGER_TODO) if one.name == LEDGER else say(k.UNREADY_TODO, name=one.name),
            said=one.sentence,
        )
        for one in found
        if not only or one.name in only
    ]


async def _own(services: Services, session: Session, words: KeepingWords) -> list[Todo]:
    people, say = people_of(services), words.words.language.text
    with in_problems():
        account = await people.find(name_of(session.actor))
        left = await people.parts.in_records(people.parts.records.recovery_left, account.name)
        others = len(OpenSessions(people).own(session)) - 1
    todo: list[Todo] = []
    if not account.has_second_factor:
        todo.append(Todo(mark="warn", text=say(k.OWN_FACTOR_TODO), href="/account"))
    elif left <= FEW_CODES:
        todo.append(Todo(mark="warn", text=say(k.CODES_TODO, n=left), href="/account"))
    if others > 0:
        todo.append(Todo(mark="unverified", text=say(k.SESSIONS_TODO, n=others), href="/account"))
    return todo
