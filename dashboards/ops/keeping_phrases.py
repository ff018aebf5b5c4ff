"""What the pages of machines, keys, sessions and of what there is to do are made of, in words."""

from controller.trust.keys.model import KeyState
from controller.trust.machine_standing import CutState
from dashboards.ops.language import mark
from tenone.trust.names import MachineKind

STATES = {
    "expired": mark("Expired"),
    "late": mark("Not renewed"),
    "invited": mark("Invited"),
    "absent": mark("Not invited"),
    "active": mark("Valid"),
    "revoked": mark("Revoked"),
}
"""In the order a list shows them: what asks for somebody first."""
MARKS = {
    "expired": "crit",
    "late": "warn",
    "invited": "unverified",
    "absent": "unknown",
    "active": "ok",
    "revoked": "stale",
}
MEANINGS = {
    "expired": mark(
        "Its certificate ended unrenewed. It cannot renew itself any more: invite it again."
    ),
    "late": mark(
        "Less than a third of its certificate's life is left, and it did not renew itself."
    ),
    "invited": mark("A token was made for it. It has not enrolled yet."),
    "absent": mark("It was never invited: it has no certificate and no token."),
    "active": mark("Its certificate is valid and renews itself."),
    "revoked": mark("It no longer counts: no certificate and no token of it is taken."),
}
KINDS = {
    MachineKind.AGENT: mark("Gateway"),
    MachineKind.DEVICE: mark("Device"),
    MachineKind.SERVER: mark("Server"),
    MachineKind.SERVICE: mark("Service"),
}
CUTS = {
    CutState.CUT: mark("Its live session was cut at %(time)s: the broker has carried it out."),
    CutState.BARRED: mark(
        "The broker's lists have been read since: it has no rights there, and no session goes on."
    ),
    CutState.WAITING: mark(
        "Its live session is not known to be cut: the broker has not carried it out yet. "
        "It is tried again every second."
    ),
    CutState.UNKNOWN: mark(
        "Whether it had a live session is not known here: this controller does not keep the "
        "accounts of the broker it connects to. Cut it at the broker, or switch its port off."
    ),
}
CUT_MARKS = {
    CutState.CUT: "ok",
    CutState.BARRED: "ok",
    CutState.WAITING: "crit",
    CutState.UNKNOWN: "warn",
}
NO_REQUEST = mark(
    "No request for renewal has come. Is the gateway powered, does it reach this controller, is "
    "its clock right?"
)
REFUSED_RENEWAL = mark("A request for renewal was refused at %(time)s from %(client)s: %(why)s")
REFUSALS = {
    "token": mark("the token was wrong, used, replaced or too old"),
    "factory": mark("no manifest names its key"),
    "renewal": mark("the certificate is unknown, expired or revoked"),
    "replay": mark("the same request came before"),
    "clock": mark("its clock is wrong"),
    "overtaken": mark("it was revoked at that moment"),
}
"""By the code of a refusal; what is not here is shown as the code."""
REFUSED_ACTS = {"machine.enrol": mark("Enrolment"), "machine.renew": mark("Renewal")}

HEAD_EXPIRED = mark("Machines with an expired certificate: %(n)s")
HEAD_LATE = mark("Machines not renewed in time: %(n)s")
HEAD_ALL = mark("All %(n)s enrolled machines hold valid certificates")
HEAD_NONE = mark("No machine is enrolled yet")
IN_MINUTES = mark("in %(n)s min")
IN_HOURS = mark("in %(n)s h")
IN_DAYS = mark("in %(n)s d")
NOW = mark("now")

KEY_STATES = {
    KeyState.ACTIVE.value: mark("Valid"),
    "soon": mark("Runs out soon"),
    KeyState.EXPIRED.value: mark("Expired"),
    KeyState.DISABLED.value: mark("Disabled"),
}
KEY_MARKS = {"active": "ok", "soon": "warn", "expired": "unknown", "disabled": "stale"}
KEY_SENT_TWICE = mark(
    "This form had been sent already, and the key was made: it stands below. If its text was not "
    "kept, disable it and make another one."
)
KEY_FIELDS = mark("Something is missing or too large: look at name, role, scope, days and rate.")
NEEDS_GRANT = mark("A key without a grant opens nothing: give it a role at a scope.")
BEYOND = mark("You keep keys inside your own scope only, and this one reaches beyond it.")
IN_USE = mark("This key is in use: disable it first.")
SESSION_ENDED = mark("That session has ended already.")
OWN_SESSION = mark("This is the session you are in: sign out instead.")
ANEW = mark(
    "This machine was enrolled anew since the page was made: look at it again. Nothing was done."
)
GIVE_REASON = mark("Write why: the reason goes into the audit ledger.")
ONE_LINE = mark("Write the reason in one line, without odd characters.")

EXPIRED_TODO = mark("Machines with an expired certificate, to be invited again: %(n)s")
LATE_TODO = mark("Machines that did not renew in time: %(n)s")
UNCUT_TODO = mark("Revoked in the last day, session not known to be cut: %(n)s")
ABSENT_TODO = mark("Schools that were never invited: %(n)s")
INVITED_TODO = mark("Invited, not enrolled yet: %(n)s")
LIST_TODO = mark(
    "The list of revoked certificates runs out %(when)s: then the broker refuses everybody"
)
LIST_UNWRITTEN_TODO = mark("The list of revoked certificates could not be written")
ROOT_TODO = mark("A new authority is taking over; machines that have not heard of it: %(n)s")
REFUSED_TODO = mark("Enrolments and renewals refused in the last day: %(n)s")
LOCKED_TODO = mark("Accounts locked after wrong attempts: %(n)s")
FACTOR_TODO = mark("Accounts without the second factor that their roles want: %(n)s")
UNUSED_TODO = mark("Accounts their holder never set up: %(n)s")
ALONE_TODO = mark(
    "You are the only security administrator of the city who can sign in: make a second one"
)
KEYS_TODO = mark("API keys that run out within 14 days: %(n)s")
KEYS_OVER_TODO = mark("API keys that have expired: %(n)s")
STOP_TODO = mark("The red stop stands: nothing is repaired there")
DUTY_TODO = mark("Roles of the duty register that too few hold: %(n)s")
UNREADY_TODO = mark("A part of the controller is not as it should be: %(name)s")
LEDGER_TODO = mark("The audit ledger cannot be written: nothing privileged is done meanwhile")
CODES_TODO = mark("Recovery codes left: %(n)s. A new second factor comes with ten")
OWN_FACTOR_TODO = mark("Your account has no second factor")
SESSIONS_TODO = mark("Other sessions of your account: %(n)s. End what is not yours")
EMPTY_TODO = mark("Nothing to do now")
SOME_TODO = mark("%(n)s things to do")
ONE_TODO = mark("One thing to do")
GROUPS = {
    "machines": mark("Machines"),
    "accounts": mark("Accounts and keys"),
    "system": mark("The controller"),
    "own": mark("Your own account"),
}
SECTIONS = {
    "/start": mark("To do"),
    "/users": mark("Accounts"),
    "/machines": mark("Machines"),
    "/keys": mark("API keys"),
    "/audit": mark("Audit ledger"),
}
