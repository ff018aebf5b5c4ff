"""The two names that are no people: the controller asking for a repair, and a city's standing word.

A city that sets a mode to ``auto`` has approved beforehand, by the rules it wrote. That approval
bears the rules' own name: the first 16 hex digits of their SHA-256. So whoever changes the rules
takes every approval back that stood on the old ones. Neither name is an account: accounts are
called ``account:<name>`` here, and a name has no colon. See the decision on standing approvals.
"""

import hashlib
import json
from dataclasses import dataclass

from controller.trust.approval_model import Action, Person
from tenone.config.enforcement import Enforcement
from tenone.trust.approval import Risk
from tenone.vocabulary.roles import Permission

SYSTEM = "system:enforcement"
STANDING = "standing:"
SYSTEM_NAME = "TenOne"
STANDING_NAME = "enforcement in city.yaml"
OURS = ("system:", STANDING)
"""What no person's account begins with."""


def standing_of(rules: Enforcement) -> str:
    """``standing:<16 hex>`` of a city's rules: the same rules, however written, the same name."""
    body = json.dumps(rules.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return STANDING + hashlib.sha256(body.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Own:
    """Whom of ours the records admit; without a standing name nobody."""

    standing: str = ""

    def may(self, account: str, permission: Permission, action: Action) -> bool | None:
        """None: not one of ours, so a person's account decides."""
        if not account.startswith(OURS):
            return None
        if not self.standing:
            return False
        if permission is Permission.REQUEST_ACTIONS:
            return account == SYSTEM
        return (
            permission is Permission.APPROVE_ACTIONS
            and account == self.standing
            and action.requester == SYSTEM
            and action.risk is Risk.ORDINARY
        )

    @property
    def asker(self) -> Person:
        """The controller, as who asks."""
        return Person(account=SYSTEM, name=SYSTEM_NAME, actor=SYSTEM)

    @property
    def approver(self) -> Person:
        """The rules, as who approves."""
        return Person(account=self.standing, name=STANDING_NAME, actor=self.standing)
