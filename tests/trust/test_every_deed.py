"""Every request that may change something is ledgered, or stands here with the reason why not."""

import re
from pathlib import Path

from fastapi.routing import APIRoute

from controller.api.app import RESOURCES
from dashboards.ops.audit_phrases import NOUNS

ROOT = Path(__file__).resolve().parents[2]
OWN_HISTORY = "incidents and tickets keep a history of their own, and must go without the ledger"
DEEDS = {
    "POST /actions": "approval.request",
    "POST /actions/{action}/approvals": "approval.grant",
    "POST /actions/{action}/refusal": "approval.refuse",
    "POST /actions/{action}/withdrawal": "approval.withdraw",
    "POST /actions/dry-run": "enforcement.dry-run",
    "POST /actions/stops": "enforcement.stop",
    "DELETE /actions/stops": "enforcement.resume",
    "POST /links/{school}/{link}/recheck": "poll.request",
    "POST /sessions": "session.open",
    "POST /maintenance": "maintenance.plan",
    "POST /maintenance/{window}/end": "maintenance.end",
    "POST /duty": "duty.enter",
    "POST /duty/{duty}/end": "duty.end",
    "POST /configurations/{school}/{switch}/accept": "configuration.accept",
    "POST /configurations/{school}/{switch}/fetch": "poll.request",
    "POST /drift/{difference}/accept": "drift.accept",
    "POST /enrolments": "machine.enrol",
    "POST /renewals": "machine.renew",
    "POST /machines/tokens": "machine.token",
    "POST /machines/{name:path}/revoke": "machine.revoke",
    "POST /keys": "key.create",
    "POST /keys/{key}/disable": "key.disable",
    "DELETE /keys/{key}": "key.remove",
    "POST /users": "account.create",
    "POST /users/first": "account.create",
    "POST /users/current/password": "account.password",
    "POST /users/current/second-factor": "account.second-factor",
    "POST /users/current/enrol": "account.second-factor",
    "PATCH /users/{name}": "account.edit",
    "DELETE /users/{name}": "account.remove",
    "POST /users/{name}/password-reset": "account.reset",
    "DELETE /users/current/sessions": "session.end",
    "DELETE /users/current/sessions/{shown}": "session.end",
    "DELETE /users/{name}/sessions": "session.end",
    "DELETE /users/{name}/sessions/{shown}": "session.end",
}
EXEMPT = {
    "DELETE /sessions/current": "signing out takes rights away; it must never be refused",
    "POST /incidents/{incident}/{word}": OWN_HISTORY,
    "POST /tickets": OWN_HISTORY,
    "POST /tickets/{ticket}": OWN_HISTORY,
}
ACT = re.compile(r'"([a-z][a-z0-9-]*\.[a-z][a-z0-9-]*)"')
TOLD = re.compile(
    r'act="([a-z0-9.-]+)"'
    r'|ledgered\(\s*(?:services, session, |city, |opened\.city, )?"([a-z0-9.-]+)"'
)


def unsafe() -> set[str]:
    return {
        f"{method} {route.path}"
        for resource in RESOURCES
        for route in resource.router.routes
        if isinstance(route, APIRoute)
        for method in (route.methods or set()) - {"GET", "HEAD"}
    }


def sources() -> dict[Path, str]:
    files = [*(ROOT / "controller").rglob("*.py"), *(ROOT / "tenone/cli").rglob("*.py")]
    return {file: file.read_text("utf-8") for file in files}


def test_every_unsafe_request_is_decided_upon() -> None:
    assert unsafe() == DEEDS.keys() | EXEMPT.keys()


def test_the_acts_stand_in_the_code() -> None:
    written = {act for text in sources().values() for act in ACT.findall(text)}
    assert set(DEEDS.values()) <= written


def test_every_act_has_a_name_on_the_page() -> None:
    acts = {first or second for text in sources().values() for first, second in TOLD.findall(text)}
    assert len(acts) > 20
    assert {act for act in acts if act.partition(".")[0] not in NOUNS} == set()


def test_every_act_is_documented() -> None:
    page = (ROOT / "docs/ledger.md").read_text("utf-8")
    for act in DEEDS.values():
        noun = act.partition(".")[0]
        assert re.search(rf"`{noun}\.", page), f"docs/ledger.md does not know {act}"
