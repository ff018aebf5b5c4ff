"""Every phrase the pages put together themselves, marked for translation.

What the browser says too is in :data:`CLIENT_MESSAGES`; ``static/islands`` uses the same texts.
"""

from collections.abc import Sequence

from dashboards.ops.language import mark
from tenone.vocabulary.states import Cause, EvidenceMethod, Tier

MARK_WORDS = {
    "ok": mark("Good"),
    "unverified": mark("Unverified"),
    "warn": mark("Warning"),
    "crit": mark("Critical"),
    "unknown": mark("Unknown"),
    "stale": mark("No fresh data"),
}

CAUSES = {
    Cause.POWER: mark("no power at the switch"),
    Cause.UPLINK: mark("the uplink of the school is harmed"),
    Cause.CONFIGURATION: mark("switched off by configuration"),
    Cause.LINK_DOWN: mark("no link"),
    Cause.SPEED: mark("%(speed)s instead of %(contract)s"),
    Cause.DUPLEX: mark("half duplex"),
    Cause.ERRORS: mark("frame errors"),
    Cause.CONGESTION: mark("congested"),
    Cause.LOSS: mark("packets are lost"),
    Cause.DNS: mark("names do not resolve"),
    Cause.ENDPOINT: mark("class board not connected"),
    Cause.AGENT_SILENT: mark("the gateway is silent"),
    Cause.SWITCH_SILENT: mark("the switch does not answer"),
    Cause.STALE: mark("the evidence is too old"),
    Cause.PORT_MISSING: mark("the switch no longer shows this port"),
    Cause.SPEED_UNKNOWN: mark("the switch does not say the speed"),
    Cause.DUPLEX_UNKNOWN: mark("the switch does not say the duplex"),
    Cause.OPER_UNKNOWN: mark("the switch does not say the state"),
    Cause.NOT_BOUND: mark("not bound to a port yet"),
    Cause.NEVER_SEEN: mark("nothing heard yet"),
    Cause.VIRTUAL_PORT: mark("bound to an interface that is no socket"),
}
"""Follows a name: "3-2 half duplex"."""

MINUTE_CAUSES = {
    Cause.POWER: mark("power"),
    Cause.UPLINK: mark("uplink of the school"),
    Cause.CONFIGURATION: mark("configuration"),
    Cause.LINK_DOWN: mark("no link"),
    Cause.SPEED: mark("speed below the contract"),
    Cause.DUPLEX: mark("half duplex"),
    Cause.ERRORS: mark("frame errors"),
    Cause.CONGESTION: mark("congestion"),
    Cause.LOSS: mark("packet loss"),
    Cause.DNS: mark("name resolution"),
    Cause.ENDPOINT: mark("class board"),
}
"""What a bad class-minute is put down to: a noun in a list of shares."""

ADVICE = {
    Cause.POWER: mark("Look at the power of the switch and its socket."),
    Cause.UPLINK: mark("Mend the uplink first; the classes behind it follow."),
    Cause.CONFIGURATION: mark("Ask who switched the port off before switching it on again."),
    Cause.LINK_DOWN: mark("Look at both ends of the cable: is it plugged in, do the lamps glow?"),
    Cause.SPEED: mark(
        "Try another patch cord first: 100 Mbit/s on a gigabit port often means that one of "
        "the four pairs is broken. Then look for a speed set by hand at either end."
    ),
    Cause.DUPLEX: mark(
        "Half duplex mostly means that one end is set by hand and the other negotiates: "
        "let both negotiate."
    ),
    Cause.ERRORS: mark("Change the patch cord, clean the fibre, look for bent pins."),
    Cause.CONGESTION: mark("See which port sends the traffic before adding capacity."),
    Cause.LOSS: mark("Follow the path hop by hop and find the first one that loses."),
    Cause.DNS: mark("Ask the resolver from the school itself, then from the city."),
    Cause.ENDPOINT: mark("Look at the power and the cable of the class board."),
    Cause.AGENT_SILENT: mark(
        "Nobody sees this school now. Is the gateway powered, is the uplink there? "
        "It keeps its data and sends it later."
    ),
    Cause.SWITCH_SILENT: mark("Is the switch powered? Has its address or community changed?"),
    Cause.STALE: mark("Poll now; if it stays old, look at the gateway."),
    Cause.PORT_MISSING: mark("Was a module pulled or the switch replaced? Bind the link again."),
    Cause.SPEED_UNKNOWN: mark("Nothing to mend in the classroom: the switch is silent on it."),
    Cause.DUPLEX_UNKNOWN: mark("Nothing to mend in the classroom: the switch is silent on it."),
    Cause.OPER_UNKNOWN: mark("Nothing to mend in the classroom: the switch is silent on it."),
    Cause.NOT_BOUND: mark("Name the switch and port of this link in school.yaml."),
    Cause.NEVER_SEEN: mark("Wait for the first sweep, or poll now."),
    Cause.VIRTUAL_PORT: mark(
        "A VLAN, a loopback or a tunnel carries no contract: name the socket in school.yaml."
    ),
}

METHODS = {
    EvidenceMethod.NEGOTIATED: mark("negotiated"),
    EvidenceMethod.PROBED: mark("probed"),
    EvidenceMethod.TESTED: mark("tested"),
}
OPER = {
    "up": mark("up"),
    "down": mark("down"),
    "testing": mark("under test"),
    "unknown": mark("unknown"),
    "dormant": mark("dormant"),
    "notPresent": mark("not present"),
    "lowerLayerDown": mark("down below"),
}
"""ifOperStatus (RFC 2863) in words."""
ADMIN = {"up": mark("on"), "down": mark("off"), "testing": mark("under test")}
"""ifAdminStatus (RFC 2863) in words."""
DUPLEX = {"full": mark("full duplex"), "half": mark("half duplex")}

TIERS = {
    Tier.UPLINK: (mark("Uplinks"), mark("10G to school")),
    Tier.CLASS: (mark("Classes"), mark("1G to class")),
    Tier.BACKBONE: (mark("Backbone links"), ""),
    Tier.WIFI: (mark("Wi-Fi links"), ""),
}
"""What a tier is called, and what is promised for it."""

SINCE = mark("since %(time)s")
COMMA = mark(", ")
HARMED_CLASSES = mark("%(bad)s of %(total)s classes harmed")
HARMED_UPLINK = mark("The uplink is harmed")
HARMED_BOTH = mark("The uplink and %(bad)s of %(total)s classes are harmed")
HARMED_OTHER = mark("%(bad)s of %(total)s links harmed")
UNKNOWN_LINKS = mark("%(unknown)s of %(total)s links unknown")
ALL_LINKS = mark("All %(total)s links hold the promise")
NEGOTIATED_LINKS = mark("All %(total)s links negotiate what was promised; none is tested yet")
PARTLY_LINKS = mark("%(verified)s of %(total)s links hold the promise, %(unverified)s unverified")
STALE_LINKS = mark("%(stale)s of %(total)s links without fresh data")
NO_LINKS = mark("No link is described here yet")
HARMED_SCHOOLS = mark("%(bad)s of %(total)s schools harmed")
UNKNOWN_SCHOOLS = mark("%(good)s of %(total)s schools hold the promise, %(unknown)s unknown")
ALL_SCHOOLS = mark("All %(total)s schools hold the promise")
NEGOTIATED_SCHOOLS = mark("All %(total)s schools negotiate what was promised; none is tested yet")
PARTLY_SCHOOLS = mark(
    "%(verified)s of %(total)s schools hold the promise, %(unverified)s unverified"
)
UNSURE_SCHOOLS = mark("%(unknown)s of %(total)s schools unknown, %(unverified)s unverified")
NO_SCHOOLS = mark("No school here yet")
SCHOOLS_GOOD = mark("schools good")
SCHOOLS_UNPROVED = mark("schools good, %(n)s unverified")
SECONDS_AGO = mark("%(n)s s ago")
MINUTES_AGO = mark("%(n)s min ago")
HOURS_AGO = mark("%(n)s h ago")
DAYS_AGO = mark("%(n)s d ago")
NEVER = mark("never")
ONLINE = mark("online")
OFFLINE = mark("offline")
ANSWERS = mark("answers")
SILENT = mark("silent")
NOT_SEEN = mark("unknown")
HALF_READ = mark("It answers, but not everything could be read.")
NOT_READ = mark("Nothing could be read: look at its power, its address and its community.")
NOT_JUDGED = mark("nothing judged yet")
JUDGED_SINCE = mark("judged since %(time)s")
BAD_SERIES = mark("Harmed")
UNKNOWN_SERIES = mark("Unknown")
LIVE = mark("Live")
CONNECTING = mark("Connecting")
LOST = mark("Connection lost. This page shows %(time)s and tries again.")
SIGNED_OUT = mark("Your session has ended.")
ASKING = mark("Asking the gateway ...")
POLLED = mark("Done. What the gateway reads now appears here by itself.")
POLL_FAILED = mark("This could not be done now.")
POLL_REFUSALS = {
    "agent-silent": mark("The gateway of this school is not connected."),
    "no-answer": mark("The gateway did not answer in time."),
    "agent-1": mark("The gateway did not answer in time."),
    "agent-4": mark("The gateway could not read the switch."),
    "agent-5": mark("The gateway is busy. Try again in a moment."),
    "unknown-switch": mark("The switch of this link is not configured."),
    "no-command-channel": mark("This controller has no way to ask gateways."),
}
"""By the ``code`` of a reply; what is not here is :data:`POLL_FAILED`."""
NO_ANSWER = mark("The controller did not answer. Try again.")
THEMES = {
    "auto": mark("Colours: as the system"),
    "light": mark("Colours: light"),
    "dark": mark("Colours: dark"),
}

CLIENT_MESSAGES: Sequence[str] = (
    *MARK_WORDS.values(),
    *CAUSES.values(),
    *METHODS.values(),
    *OPER.values(),
    *ADMIN.values(),
    *DUPLEX.values(),
    *POLL_REFUSALS.values(),
    *THEMES.values(),
    SINCE,
    COMMA,
    HARMED_CLASSES,
    HARMED_UPLINK,
    HARMED_BOTH,
    HARMED_OTHER,
    UNKNOWN_LINKS,
    ALL_LINKS,
    NEGOTIATED_LINKS,
    PARTLY_LINKS,
    STALE_LINKS,
    NO_LINKS,
    HARMED_SCHOOLS,
    UNKNOWN_SCHOOLS,
    ALL_SCHOOLS,
    NEGOTIATED_SCHOOLS,
    PARTLY_SCHOOLS,
    UNSURE_SCHOOLS,
    SCHOOLS_GOOD,
    SCHOOLS_UNPROVED,
    NO_SCHOOLS,
    SECONDS_AGO,
    MINUTES_AGO,
    HOURS_AGO,
    DAYS_AGO,
    NEVER,
    ONLINE,
    OFFLINE,
    ANSWERS,
    SILENT,
    NOT_SEEN,
    HALF_READ,
    NOT_READ,
    NOT_JUDGED,
    JUDGED_SINCE,
    BAD_SERIES,
    UNKNOWN_SERIES,
    LIVE,
    CONNECTING,
    LOST,
    SIGNED_OUT,
    ASKING,
    POLLED,
    POLL_FAILED,
    NO_ANSWER,
)
