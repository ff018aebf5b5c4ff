"""What the pages of people say: roles, states, refusals."""

from controller.api.problems import Problem
from dashboards.ops.language import Language, mark
from tenone.vocabulary.roles import Grant, Role

ROLES = {
    Role.VIEWER: mark("Viewer"),
    Role.OPERATOR: mark("Operator"),
    Role.APPROVER: mark("Approver"),
    Role.MAINTAINER: mark("Maintainer"),
    Role.SYSTEM_ADMIN: mark("System administrator"),
    Role.SECURITY_ADMIN: mark("Security administrator"),
    Role.AUDIT_ADMIN: mark("Audit administrator"),
}
STATES = {
    "enabled": mark("Enabled"),
    "disabled": mark("Disabled"),
    "locked": mark("Locked"),
    "new": mark("Not used yet"),
}
SENTENCES = frozenset(
    {
        mark("The two passwords are not the same."),
        mark("A password has at least 12 characters; a sentence is good."),
        mark("A password has at most 256 characters."),
        mark("This password is one of those that are tried first: use another."),
        mark("The password has the account's name in it: use another."),
        mark("The password is wrong."),
        mark("The second factor was shown too long ago: load the page again."),
        mark(
            "The code of the second factor is wrong: enter the one the app shows now. If it "
            "stays so, the clock of the phone or of this machine is wrong."
        ),
        mark("The roles of this account want a second factor: enter its code."),
        mark(
            "There is a security administrator already: with this code only an existing one "
            "gets a new password."
        ),
        mark("That account is not a security administrator of the city."),
        mark("Nobody edits the own grants or state: another keeper does."),
        mark("Nobody removes the own account: another keeper does."),
        mark("Change the own password on the page of the own account."),
        mark("You keep accounts inside your own scope only, and this one reaches beyond it."),
        mark(
            "This is the last security administrator of the city who can sign in: make another "
            "one first."
        ),
        mark("That is no role, or no scope such as binhai/east."),
        mark("There is no such city, district or school here."),
    }
)
"""Refusals that are the same sentence whatever they are about; the core says them in English."""
APART = mark(
    "The system, security and audit administrators are kept apart: nobody holds two of these "
    "roles, at whatever scopes."
)
TAKEN = mark("There is an account of that name already.")
BY_STATUS = {
    400: mark("Something on the page is wrong: look at name, role and scope."),
    401: mark("The password or the code is wrong."),
    403: mark("None of your roles allows that there."),
    404: mark("It is not there, or not yours to see."),
    409: mark("A rule forbids it: look at name, role and scope."),
    429: mark("Too many wrong attempts: wait 15 minutes or longer."),
    503: mark("The audit ledger or the records cannot be written now: nothing was done."),
}


class PeopleWords:
    """Words of one language."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def role(self, role: Role) -> str:
        """What a role is called."""
        return self._language.text(ROLES[role])

    def state(self, state: str) -> str:
        """What the state of an account is called."""
        return self._language.text(STATES[state])

    def grant(self, grant: Grant) -> str:
        """A role and where it holds."""
        where = str(grant.scope) or self._language.text(mark("whole city"))
        return f"{self.role(grant.role)} · {where}"

    def refusal(self, problem: Problem | None) -> str:
        """Why nothing was done; empty where all went well."""
        if problem is None:
            return ""
        if problem.detail in SENTENCES:
            return self._language.text(problem.detail)
        if "are kept apart" in problem.detail:
            return self._language.text(APART)
        if problem.detail.startswith("There is an account"):
            return self._language.text(TAKEN)
        return self._language.text(BY_STATUS.get(problem.status, BY_STATUS[409]))
