"""Every act that the audit ledger is told, and who can be the one who did it.

A test holds the code, the page ``/audit`` and docs/ledger.md to these: what is written stands
here, and what stands here is written somewhere.
"""

import re

VERBS = {
    "account": (
        "create",
        "disable",
        "edit",
        "enable",
        "grant",
        "lock",
        "password",
        "recover",
        "remove",
        "reset",
        "second-factor",
    ),
    "approval": (
        "execute",
        "grant",
        "refuse",
        "request",
        "result",
        "rotate-keys",
        "withdraw",
    ),
    "audit": (
        "read",
        "report",
    ),
    "authority": (
        "change",
        "create",
    ),
    "broker": ("reconcile",),
    "configuration": ("accept",),
    "controller": (
        "start",
        "stop",
    ),
    "drift": ("accept",),
    "duty": (
        "end",
        "enter",
    ),
    "enforcement": (
        "dry-run",
        "resume",
        "stop",
    ),
    "evidence": ("export",),
    "journal": ("key",),
    "key": (
        "create",
        "disable",
        "remove",
        "use",
    ),
    "ledger": (
        "admit",
        "begin",
        "gap",
        "retire",
    ),
    "machine": (
        "enrol",
        "issue",
        "manifest",
        "renew",
        "revoke",
        "token",
    ),
    "maintenance": (
        "end",
        "plan",
    ),
    "personal": ("read",),
    "poll": ("request",),
    "quarantine": ("pass",),
    "refusals": ("sum",),
    "report": ("make",),
    "secret": (
        "accept",
        "next",
        "promote",
        "remove",
        "rotate-key",
        "seal",
        "seen",
        "set",
        "set-back",
    ),
    "session": (
        "close",
        "end",
        "expire",
        "old-protocol",
        "open",
        "refused",
        "takeover",
    ),
    "witness": (
        "conflict",
        "excuse",
    ),
}
"""By an act's first word."""
ACTS = frozenset(f"{noun}.{verb}" for noun, verbs in VERBS.items() for verb in verbs)
RESERVED = frozenset({"personal.read"})
"""Nothing writes it yet."""
CONSOLE = "console"
"""Whoever types on the server: ``console:<user>``. Entries of before 0.9 have it without a user."""
UNKNOWN_CONSOLE = f"{CONSOLE}:unknown"
"""Something was changed on the server, and who typed is not known."""
ACTOR = re.compile(
    r"(account|key|machine|console|standing):.{1,250}|system(:[a-z]+)?|code|nobody", re.DOTALL
)
"""Who did it, as entries name them."""
