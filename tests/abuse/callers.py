"""Everybody who may ask the API, and which names an answer to each of them may hold."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from controller.api.sessions import SessionKind
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath
from tests.abuse.whole import Answer, Whole

SCHOOLS = ("no1", "no2", "west/no3")
SCOPES = ("", "binhai/east", "binhai/west", "binhai/east/no1", "binhai/east/no2")
PLACES = {
    "no1": "binhai/east/no1",
    "no2": "binhai/east/no2",
    "no3": "binhai/west/no3",
    "east": "binhai/east",
    "west": "binhai/west",
}
_NAMED = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(PLACES)})(?![A-Za-z0-9])")


@dataclass(frozen=True)
class Caller:
    """One of them; without a role: nobody."""

    role: Role | None
    scope: str
    key: str = ""
    """A program's key instead of a session."""

    @property
    def name(self) -> str:
        what = "nobody" if self.role is None else self.role.value
        return f"{'key of ' if self.key else ''}{what}@{self.scope or '/'}"

    def strangers(self, text: str) -> set[str]:
        """Names in ``text`` of places that lie neither inside nor above the caller's scope."""
        found = set(_NAMED.findall(text))
        if self.role is None:
            return found
        mine = ScopePath.parse(self.scope)
        return {
            one
            for one in found
            if not mine.covers(ScopePath.parse(PLACES[one]))
            and not ScopePath.parse(PLACES[one]).covers(mine)
        }


async def everybody(house: Whole) -> list[Caller]:
    """Seven roles at city, districts and schools, keys of three, and nobody."""
    callers = [Caller(role, scope) for role in Role for scope in SCOPES]
    for role, scope in (
        (Role.VIEWER, ""), (Role.OPERATOR, "binhai/east/no1"), (Role.MAINTAINER, "binhai/west"),
    ):  # fmt: skip
        made = await asked(
            house, Caller(Role.SECURITY_ADMIN, ""), "POST", "/api/v1/keys",
            {"name": "x", "a_minute": 60_000, "grants": [{"role": role.value, "scope": scope}]},
        )  # fmt: skip
        callers.append(Caller(role, scope, made.json()["key"]))
    return [*callers, Caller(None, "")]


async def asked(
    house: Whole, caller: Caller, method: str, target: str, body: object = None
) -> Answer:
    """One request in a session of its own: what it did to its session touches nobody."""
    # Through a proxy: from the machine itself, /metrics is open to everybody, for the whole city.
    headers: dict[bytes, bytes] = {b"x-forwarded-for": b"192.0.2.7"}
    token = None
    if body is not None:
        headers[b"content-type"] = b"application/json"
    if caller.key:
        headers |= {b"authorization": b"Bearer " + caller.key.encode(), b"origin": b""}
    elif caller.role is not None:
        actor = f"account:{caller.role.value}-{caller.scope.replace('/', '-') or 'city'}"
        grants = [Grant(caller.role, ScopePath.parse(caller.scope))]
        token, session = house.services.sessions.open(actor, name="", grants=grants)
        assert session.kind is SessionKind.USE
    answer = await house.ask(
        method,
        target.encode(),
        token=token,
        body=b"" if body is None else json.dumps(body, default=str).encode(),
        headers=headers,
    )
    if token is not None:
        found = house.services.sessions.find(token)
        if found is not None:
            house.services.sessions.close(found)
    return answer


def ids_in(pools: Mapping[str, list[str]], name: str) -> Iterator[str]:
    """What may stand for a path parameter: its own pool, else everything there is."""
    for wanted in (name, name.removesuffix("_id"), name.removesuffix("_name")):
        if wanted in pools:
            yield from pools[wanted]
            return
    for values in pools.values():
        yield from values
