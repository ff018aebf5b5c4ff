"""What repairs are called: intents, modes, guards, steps, states."""

from controller.enforcement.model import GuardName
from controller.enforcement.sentences import MENDED
from controller.trust.approval_model import ActionState
from dashboards.ops.language import mark
from drivers.cli.dialect import CableState
from tenone.vocabulary.intents import Intent, Mode
from tenone.vocabulary.repairs import RepairStep
from tenone.vocabulary.sayings import Saying

INTENTS = {
    Intent.RESTORE_NEGOTIATION: mark("Let the port negotiate again"),
    Intent.BOUNCE_PORT: mark("Shut the port and open it again"),
    Intent.ENABLE_PORT: mark("Open the port"),
    Intent.CYCLE_POE: mark("Take the power of the port away and give it back"),
    Intent.EXAM_PRIORITY: mark("Serve urgent traffic first for some hours"),
    Intent.QUARANTINE: mark("Put the port into quarantine"),
    Intent.RELEASE: mark("Release the port from quarantine"),
    Intent.SAVE_CONFIGURATION: mark("Save the configuration"),
    Intent.CABLE_DIAGNOSIS: mark("Measure the cable"),
}
OTHER_INTENT = mark("Change a switch: %(intent)s")
MODES = {
    Mode.OFF: mark("off: nothing is proposed, nobody may ask"),
    Mode.PROPOSE: mark("proposed: people ask and approve"),
    Mode.APPROVE: mark("asked for by TenOne: people approve"),
    Mode.AUTO: mark("done by TenOne, where the school agreed for the switch"),
}
GUARDS = {
    GuardName.STOPPED: mark("the red stop stands"),
    GuardName.MODE: mark("it is not set to happen here by itself"),
    GuardName.UNKNOWN_PORT: mark("nobody knows which port it is"),
    GuardName.UPLINK: mark("the port carries an uplink or a backbone"),
    GuardName.MANAGEMENT: mark("the way to the switch or to this gateway goes through the port"),
    GuardName.EMERGENCY: mark("an emergency device hangs on the port, or it is protected"),
    GuardName.CLASS_HOURS: mark("lessons are being held"),
    GuardName.EXAM: mark("it is an exam day"),
    GuardName.FREEZE: mark("changes are frozen"),
    GuardName.MAINTENANCE: mark("somebody works there by plan"),
    GuardName.CAP: mark("it would be one change too many"),
    GuardName.CHAIN: mark("something above or below it is being changed"),
    GuardName.FAILURES: mark("too much failed here today: people look first"),
    GuardName.AGAIN: mark("it was tried for this fault and did not help: software cannot mend it"),
    GuardName.AGENT_AWAY: mark("the gateway of the school does not answer"),
    GuardName.NO_CLI: mark("the switch has no command line in school.yaml"),
    GuardName.CLOCK: mark("nobody sets the clock of the school's gateway (NTP)"),
}
GUARDS_MORE = {
    GuardName.STOPPED: mark("the red stop stands: %(by)s, %(reason)s"),
    GuardName.UNKNOWN_PORT: mark("the switch %(switch)s shows no port %(port)s to this plan"),
    GuardName.UPLINK: mark("%(switch)s %(port)s carries %(link)s, on which others hang"),
    GuardName.MANAGEMENT: mark(
        "the way to a switch, to this gateway or to the city goes through %(switch)s %(port)s, "
        "or nobody can rule it out"
    ),
    GuardName.EMERGENCY: mark(
        "an emergency device hangs on %(switch)s %(port)s, or it is protected"
    ),
    GuardName.EXAM: mark("it is an exam day: %(exam)s"),
    GuardName.FREEZE: mark("changes are frozen until %(until)s: %(why)s"),
    GuardName.MAINTENANCE: mark("%(by)s work there by plan: %(why)s"),
    GuardName.CAP: mark("it would be one change too many: %(done)s, at most %(most)s"),
    GuardName.CHAIN: mark("something is being changed at %(switch)s, above or below it"),
    GuardName.FAILURES: mark(
        "%(done)s repairs failed in %(school)s today, at most %(most)s: people look first"
    ),
    GuardName.NO_CLI: mark("school.yaml does not offer this on the switch %(switch)s"),
}
"""The same where its values are known."""
STATES = {
    ActionState.WAITING: mark("waits for approval"),
    ActionState.GRANTED: mark("approved, about to begin"),
    ActionState.STARTED: mark("under way"),
    ActionState.DONE: mark("done"),
    ActionState.FAILED: mark("did not help, or failed"),
    ActionState.REFUSED: mark("refused by a person"),
    ActionState.WITHDRAWN: mark("taken back by who asked"),
    ActionState.EXPIRED: mark("nobody approved it in time"),
    ActionState.UNKNOWN: mark("no answer came: the gateway knows, and tells when it is back"),
}
STUCK = mark("stuck: a person has to look at the switch now")
PUT_BACK = mark("put back: everything is as before")
PROVED = mark("proved: good, and still good after the hold")
STEPS = {
    RepairStep.BEGUN: mark("The approval is used up, the switch is being told"),
    RepairStep.APPLIED: mark("The switch took all lines"),
    RepairStep.GOOD: mark("Good for the first time: no proof yet"),
    RepairStep.PROVED: mark("Proved: still good after the hold"),
    RepairStep.DONE: mark("Done"),
    RepairStep.UNDOING: mark("It did not help: the way back begins"),
    RepairStep.UNDONE: mark("Put back, and read back from the switch"),
    RepairStep.STUCK: mark("Stuck: a person has to look at the switch now"),
    RepairStep.ENDED: mark("The time is over, everything is as before"),
}
FAULTED = mark("The link went bad")
JUDGED = mark("TenOne knew it")
HELD_GOOD = mark("The controller's own verdict was good for the hold")
SHORT_JUDGED = mark("known after %(seconds)s")
SHORT = {
    RepairStep.BEGUN: mark("begun after %(seconds)s"),
    RepairStep.PROVED: mark("proved after %(seconds)s"),
    RepairStep.UNDONE: mark("put back after %(seconds)s"),
    RepairStep.STUCK: mark("stuck after %(seconds)s"),
}
"""After the fault."""
AFTER = mark("%(seconds)s after the fault")
SECONDS = mark("%(n)s s")
MINUTES = mark("%(n)s min")
SAYINGS = {
    Saying.WORDS: mark("%(text)s"),
    Saying.BEGINS: mark("%(intent)s: begins at %(where)s"),
    Saying.TAKEN: mark("all lines were taken"),
    Saying.SET_OTHERWISE: mark("%(port)s of %(switch)s was set otherwise since it was approved"),
    Saying.UNREADABLE: mark("how %(port)s of %(switch)s is set cannot be read (%(why)s)"),
    Saying.NOTHING_CHANGED: mark("nothing was changed"),
    Saying.NOT_WRITTEN: mark("it cannot be written down how far it is: %(why)s"),
    Saying.NOT_SET_SO: mark("the switch took the lines and does not say that it is set so"),
    Saying.STILL_GOOD: mark("still good after %(seconds)s s in %(looks)s looks"),
    Saying.NOT_GOOD: mark("%(seconds)s s later it is not good"),
    Saying.WENT_BACK: mark("the switch went back by itself while it was looked at"),
    Saying.TOOK_BACK: mark("the switch took it back by itself after the proof"),
    Saying.OTHERS_DOWN: mark("%(ports)s of %(switch)s carried a link and went down"),
    Saying.NO_ANSWER: mark("%(switch)s did not answer in %(seconds)s s"),
    Saying.BOARDS_HEARD: mark("heard again meanwhile: %(boards)s"),
    Saying.PORT_FULL: mark("%(port)s is up, %(speed)s Mbit/s, full duplex"),
    Saying.PORT_HALF: mark("%(port)s is up, %(speed)s Mbit/s, half duplex"),
    Saying.PORT_DOWN: mark("%(port)s is down"),
    Saying.PORT_SHUT: mark("%(port)s is shut"),
    Saying.PROVED_BEFORE: mark("proved before the session ended"),
    Saying.RESTARTED: mark("the agent was started anew in the middle of it"),
    Saying.NOT_SAVED: mark("but it is not saved: %(why)s"),
    Saying.SAVED: mark("the configuration is saved"),
    Saying.AS_BEFORE: mark("%(port)s of %(switch)s is as before"),
    Saying.NOT_BACK: mark("%(port)s of %(switch)s could not be put back (%(why)s)"),
    Saying.PERSON: mark("a person has to look at the switch now"),
    Saying.CABLE_WELL: mark("the cable test finds no bad pair"),
    Saying.CABLE_BAD: mark("the cable test finds a bad pair"),
    Saying.CABLE_FAILED: mark("the cable test failed: %(why)s"),
    Saying.WINDOW_OVER: mark("%(intent)s: over at %(port)s, it is as before"),
    Saying.WINDOW_STUCK: mark(
        "%(intent)s: over at %(port)s, and it could not be taken back (%(why)s)"
    ),
}
"""What an agent says of a step, clause by clause; the pairs of a cable stand below it."""
AND_THEN = mark("%(said)s; %(more)s")
OUTCOMES = {MENDED: mark("The link is good again, so TenOne took its request back.")}
"""What the controller itself says of an end; all else is an agent's, English."""
PARTS = {
    "prepare": mark("First, a way back on the switch itself"),
    "do": mark("The change"),
    "confirm": mark("Once it is proved: tell the switch not to go back by itself"),
    "undo": mark("If it does not help: the way back"),
    "keep": mark("Once it is proved: keep it"),
    "if it does not help": mark("Taken back and still bad: measure the cable"),
}
"""What a line of a plan is for, by what stands before its colon."""
BACK_PROOF = mark(
    "Proved by the same measurement, or put back by itself to what the port was set to before."
)
BACK_WINDOW = mark("It ends by itself at %(time)s, and the port is set as before.")
BACK_INVERSE = mark("Taken back by: %(intent)s.")
BACK_NOTHING = mark("Nothing is changed that would have to be put back.")
INTERRUPTS = mark("The link goes down for some seconds.")
CALM = mark("The link stays up.")
TWO_PERSONS = mark("High risk: two people approve, neither of them who asked.")
ONE_PERSON = mark("One person approves, who is not who asked.")
BY_ENFORCEMENT = mark("TenOne")
BY_RULES = mark("the city's rules and the school's consent")
UNTIL = mark("waits until %(time)s")
CABLE_STATES = {
    CableState.OK: mark("sound"),
    CableState.OPEN: mark("broken"),
    CableState.SHORT: mark("shorted"),
    CableState.CROSSTALK: mark("crosstalk"),
    CableState.MISMATCH: mark("impedance is wrong"),
    CableState.UNKNOWN: mark("not said"),
}
PAIR = mark("Pair %(name)s: %(state)s")
PAIR_AT = mark("Pair %(name)s: %(state)s, %(metres)s m")
WHOLE_CABLE = mark("Cable: %(state)s")
WHOLE_CABLE_AT = mark("Cable: %(state)s, %(metres)s m")
STOPPED = mark("Stopped: nothing is repaired in %(place)s")
WAITING_ONE = mark("One repair waits for approval")
WAITING_MANY = mark("%(n)s repairs wait for approval")
UNDER_WAY = mark("A repair is under way")
PROPOSED = mark("%(n)s bad links, each with what would help")
CALM_HEADLINE = mark("Nothing to repair")
REFUSALS = {
    400: mark("Something is missing: write a reason."),
    403: mark("Your role or your session does not allow this: an account of your own may."),
    404: mark("It is no longer there, or not for you to see."),
    409: mark("It does not go with how things stand now; nothing was done."),
    422: mark("Something is missing: write a reason."),
    429: mark("You have too many requests waiting; let some be decided first."),
    503: mark("It could not be written down first, so it was not done. Try again in a moment."),
}
