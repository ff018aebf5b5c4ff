"""``tenone bench authorise``: decisions against an oracle that shares no code with them.

The oracle holds the table of roles written out a second time and compares paths as strings. In
the same run: ``allowed`` (grants looked at one by one), ``Authority`` (compiled) and the oracle.
"""

import json
import random
import time
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from tenone.cli.bench_machine import machine
from tenone.vocabulary.authority import Authority
from tenone.vocabulary.roles import Grant, Permission, Role, allowed
from tenone.vocabulary.scope import ScopePath

ORACLE = {
    "viewer": "look",
    "operator": "look poll incidents.act maintenance.plan duty.keep tickets.act inventory.keep "
    "actions.request",
    "approver": "look actions.approve",
    "maintainer": "look poll incidents.act tickets.act inventory.keep",
    "system-admin": "look system.keep",
    "security-admin": "users.keep machines.keep",
    "audit-admin": "audit.read",
}
ACCOUNTS = 1000
MOST_GRANTS = 6

Question = tuple[int, Permission, ScopePath]


def oracle(grants: Sequence[Grant], permission: Permission, scope: ScopePath) -> bool:
    """Brute force: every grant, as text."""
    path = str(scope)
    for grant in grants:
        if permission.value not in ORACLE[grant.role.value].split():
            continue
        held = str(grant.scope)
        if not held or path == held or path.startswith(f"{held}/"):
            return True
    return False


def scopes(random_: random.Random) -> list[ScopePath]:
    """A city of 20 districts, 400 schools, 1,200 buildings and rooms; names that are prefixes."""
    found = [ScopePath(), ScopePath.parse("binhai")]
    for district in range(20):
        found.append(ScopePath.parse(f"binhai/d{district}"))
        for school in range(20):
            at = f"binhai/d{district}/s{school}"
            found.append(ScopePath.parse(at))
            building = random_.randrange(30)
            found += [ScopePath.parse(f"{at}/b{building}"), ScopePath.parse(f"{at}/b{building}/r1")]
    return found


def holders(random_: random.Random, where: Sequence[ScopePath]) -> list[tuple[Grant, ...]]:
    """Accounts with none to six grants of any roles."""
    roles = list(Role)
    return [
        tuple(
            Grant(random_.choice(roles), random_.choice(where))
            for _ in range(random_.randrange(MOST_GRANTS + 1))
        )
        for _ in range(ACCOUNTS)
    ]


def questions(
    random_: random.Random,
    held: Sequence[tuple[Grant, ...]],
    where: Sequence[ScopePath],
    count: int,
) -> list[Question]:
    """Half anywhere, half inside a scope the account holds something at: both answers happen."""
    below = {scope: [one for one in where if scope.covers(one)] for scope in where}
    permissions = list(Permission)
    asked: list[Question] = []
    for _ in range(count):
        who = random_.randrange(len(held))
        near = bool(held[who]) and random_.random() < 0.5  # noqa: PLR2004 - half
        scope = random_.choice(below[random_.choice(held[who]).scope] if near else where)
        asked.append((who, random_.choice(permissions), scope))
    return asked


def compare(count: int, seed: int) -> dict[str, object]:
    """Decide all three ways; figures."""
    random_ = random.Random(seed)
    where = scopes(random_)
    held = holders(random_, where)
    asked = questions(random_, held, where, count)
    compiled = [Authority(grants) for grants in held]
    decided: dict[str, list[bool]] = {}
    rates: dict[str, float] = {}

    def run(name: str, decide: Callable[[], list[bool]]) -> None:
        start = time.process_time_ns()
        decided[name] = decide()
        rates[name] = count / max((time.process_time_ns() - start) / 1e9, 1e-9)

    run("compiled", lambda: [compiled[who].allows(what, at) for who, what, at in asked])
    run("allowed", lambda: [allowed(held[who], what, at) for who, what, at in asked])
    run("oracle", lambda: [oracle(held[who], what, at) for who, what, at in asked])
    truth = decided["oracle"]
    return {
        "benchmark": "authorise",
        "decisions": count,
        "seed": seed,
        "accounts": ACCOUNTS,
        "scopes": len(where),
        "granted": sum(truth),
        "wrong_compiled": sum(a is not b for a, b in zip(decided["compiled"], truth, strict=True)),
        "wrong_allowed": sum(a is not b for a, b in zip(decided["allowed"], truth, strict=True)),
        "decisions_per_cpu_second": {name: round(rate) for name, rate in rates.items()},
    }


def authorise(
    count: Annotated[int, typer.Option("--count", min=1, help="Decisions.")] = 1_000_000,
    seed: Annotated[int, typer.Option("--seed", help="Of the random city.")] = 1,
) -> None:
    """Authorisation decisions against a brute-force oracle: wrong ones and decisions a second."""
    typer.echo(json.dumps(compare(count, seed) | {"machine": machine()}))
