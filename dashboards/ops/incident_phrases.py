"""What incidents are called: one sentence a cause, with the figures that made it."""

from dashboards.ops.language import mark
from tenone.vocabulary.states import Cause

LINK = {
    Cause.POWER: mark("%(name)s: its switch has had no power since %(time)s"),
    Cause.UPLINK: mark("%(name)s: harmed by the uplink of the school since %(time)s"),
    Cause.CONFIGURATION: mark(
        "%(name)s: the port has been switched off since %(time)s; somebody set it so"
    ),
    Cause.LINK_DOWN: mark(
        "%(name)s: no link since %(time)s; most likely a cable that is not plugged in"
    ),
    Cause.SPEED: mark(
        "%(name)s: the port has run at %(speed)s instead of %(contract)s since %(time)s; "
        "most likely the patch cord"
    ),
    Cause.DUPLEX: mark("%(name)s: half duplex since %(time)s; most likely one end is set by hand"),
    Cause.ERRORS: mark(
        "%(name)s: damaged frames since %(time)s; most likely the patch cord or a dirty fibre"
    ),
    Cause.CONGESTION: mark("%(name)s: more traffic than it carries since %(time)s"),
    Cause.LOSS: mark("%(name)s: packets have been lost on the way since %(time)s"),
    Cause.DNS: mark("%(name)s: names have not resolved since %(time)s, so no page opens"),
    Cause.ENDPOINT: mark("%(name)s: the class board has not been connected since %(time)s"),
}
"""Of one link. Every cause of harm has a sentence; a test holds this."""
SPEED_ERRORS = mark(
    "%(name)s: the port fell back to %(speed)s at %(time)s after %(errors)s damaged frames; "
    "most likely the patch cord"
)
SPEED_UNSAID = mark("%(name)s: slower than the promised %(contract)s since %(time)s")
ERRORS_COUNTED = mark(
    "%(name)s: %(errors)s damaged frames since %(time)s; most likely the patch cord or dirty fibre"
)
LINK_MEASURED = {
    Cause.LINK_DOWN: mark("%(name)s: no link since %(time)s; the cable test says: %(pair)s"),
    Cause.SPEED: mark(
        "%(name)s: the port has run at %(speed)s instead of %(contract)s since %(time)s; "
        "the cable test says: %(pair)s"
    ),
    Cause.ERRORS: mark("%(name)s: damaged frames since %(time)s; the cable test says: %(pair)s"),
}
"""The same once the cable was measured: what is known stands in the place of what is likely."""
PAIR = mark("pair %(pair)s %(state)s")
PAIR_AT = mark("pair %(pair)s %(state)s, %(metres)s m from the switch")
NO_BAD_PAIR = mark("no bad pair")
CABLE_AT_ADVICE = mark(
    "The cable test says: %(pair)s. Look there first: the first metres are the patch cord at the "
    "switch, the last ones that in the room, what lies between is the cable in the wall."
)
CABLE_ADVICE = mark(
    "The cable test says: %(pair)s. Exchange the patch cords at both ends; if that does not help, "
    "it is the cable in the wall."
)
CABLE_WELL_ADVICE = mark(
    "The cable test finds no bad pair: look at the network card of the device, not at the cords."
)
UPLINK_DOWN = mark("The uplink of %(school)s has been down since %(time)s")
UPLINK_SLOW = mark(
    "The uplink of %(school)s has run at %(speed)s instead of %(contract)s since %(time)s"
)
AGENT_SILENT = mark("Nobody has been able to see %(school)s since %(time)s: its gateway is silent")
SWITCH_SILENT = mark("The switch %(name)s has not answered since %(time)s")
SWITCH_POWER = mark("The switch %(name)s has had no power since %(time)s")
POWER_FAILED = mark(
    "The power of %(school)s failed at %(time)s: its switches run on the battery, or are off"
)
CONFIGURATION_DRIFT = mark(
    "Switch %(name)s: its configuration has differed from the accepted one since %(time)s; "
    "somebody set something by hand"
)
CONFIGURATION_DRIFT_AT = mark(
    'Switch %(name)s: somebody changed "%(section)s" by hand; seen since %(time)s'
)
DRIFT_ADVICE = mark(
    "Ask who did it and why. If it is right, accept it; if not, put it back at the switch"
)
OTHER = mark("%(name)s: harmed since %(time)s")

HURTS_CLASSES = mark("%(classes)s classes are behind it: %(named)s")
HURTS_ONE = mark("It hurts the class %(named)s")
HURTS_LINKS = mark("%(links)s links are behind it")
HURTS_MORE = mark("%(named)s and more")
ONE_LESSON = mark("%(hurt)s, one lesson so far")
LESSONS = mark("%(hurt)s, %(n)s lessons so far")
HURTS_NOBODY = mark("No class hangs on it")
SHADOWS = mark("%(n)s more are harmed by it and have no incident of their own")
BEHIND = mark("It lies behind another incident")
IN_MAINTENANCE = mark("Planned work: nobody is called until it is over")
UNDER_REPAIR = mark("Under repair: TenOne is changing something there; what that stops is not told")
TIMES = mark("%(n)s times")
OVER = mark("over since %(time)s")
CLEARING = mark("good again since %(time)s, watched a little longer")
TAKEN = mark("%(who)s has it")

STATES = {
    "open": mark("Open"),
    "acknowledged": mark("Taken"),
    "maintenance": mark("Planned work"),
    "under-repair": mark("Under repair"),
    "shadowed": mark("Behind another"),
    "resolved": mark("Over"),
}
LEVELS = {"school": mark("school"), "district": mark("district"), "city": mark("city")}
ACTS = {
    "opened": mark("It was noticed"),
    "alarmed": mark("People were called"),
    "shadowed": mark("What it hangs on failed too: it waits for that"),
    "released": mark("What it hangs on is back; this is not"),
    "maintenance": mark("Planned work began"),
    "maintenance-over": mark("The planned work is over; the trouble is not"),
    "cause": mark("What is wrong changed"),
    "severity": mark("It became graver"),
    "clearing": mark("It was good again"),
    "returned": mark("It came back, for the %(count)s. time"),
    "resolved": mark("Over"),
    "reopened": mark("Open again"),
    "escalated": mark("Told to: %(level)s"),
    "acknowledged": mark("Taken"),
    "assigned": mark("Given to %(assignee)s"),
    "commented": mark("Comment"),
    "ticketed": mark("Ticket %(ticket)s"),
    "under-repair": mark("Under repair: what the repair itself stops is not told"),
    "repair-over": mark("The repair is over: what is bad now is told again"),
    "repair-overdue": mark(
        "The repair has not come to its end in its time: what is bad is told again"
    ),
}
"""By the act of a timeline's line; its fields are the values."""
FIGURES = {
    "speed_mbps": mark("Negotiated"),
    "contract_mbps": mark("Promised"),
    "errors": mark("Damaged frames before it"),
    "half": mark("Half duplex"),
}
REFUSALS = {
    400: mark("Something is missing: write your name and, except to take it, a text."),
    403: mark("Your role may look but not act."),
    409: mark("Somebody was quicker: this is how it stands now. Do yours again if it still fits."),
    503: mark("It is done, but could not be written yet; it will be."),
}
YES = mark("yes")
