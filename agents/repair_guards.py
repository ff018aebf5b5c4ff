"""The school's own rules about what may be changed: checked here, whatever the city has approved.

No I/O. Each refusal is one sentence that says which rule and where it stands.
"""

from collections.abc import Mapping

from agents.pending import PendingBook
from agents.port_look import Eyes, Look
from drivers.cli.dialect import Dialect
from drivers.cli.errors import CliError
from tenone.config import School
from tenone.config import Switch as SwitchConfig
from tenone.config.school import Link
from tenone.config.switch_cli import SwitchCli
from tenone.trust.approval import Approval, Refusal, Refused
from tenone.vocabulary.intents import ALWAYS, MAY, MEANINGS, Intent
from tenone.vocabulary.states import Tier

SYSTEM = "system:enforcement"
STANDING = "standing:"
STANDING_DIGITS = 16
LONGEST_WINDOW_MS = 12 * 3600 * 1000
CARRYING = (Tier.UPLINK, Tier.BACKBONE)


def refused(sentence: str, why: Refusal = Refusal.NOT_HERE) -> Refused:
    """To be raised."""
    return Refused(why, sentence)


def intent_of(name: str) -> Intent:
    """The intent called so; raises :class:`Refused`."""
    try:
        return Intent(name)
    except ValueError:
        raise refused(f"there is no intent {name!r:.80}", Refusal.NO_SUCH_INTENT) from None


def check_parameters(intent: Intent, parameters: Mapping[str, str], now_ms: int) -> None:
    """Whether all that belongs to it is there, and nothing else."""
    needed = MEANINGS[intent].parameters | ALWAYS
    if missing := needed - parameters.keys():
        raise refused(f"{intent.value} needs {', '.join(sorted(missing))}", Refusal.NO_SUCH_INTENT)
    if strange := parameters.keys() - needed - MAY:
        raise refused(
            f"{intent.value} has no parameter {min(strange)!r:.80}", Refusal.NO_SUCH_INTENT
        )
    if "until_ms" in parameters:
        until_ms = number_of(parameters, "until_ms")
        if not now_ms < until_ms <= now_ms + LONGEST_WINDOW_MS:
            raise refused(
                f"until_ms is {(until_ms - now_ms) / 60_000:.0f} min from now: it must be in the "
                f"next {LONGEST_WINDOW_MS // 3_600_000} h"
            )


def number_of(parameters: Mapping[str, str], name: str) -> float:
    """A parameter as a number from 0; raises :class:`Refused`."""
    text = parameters[name]
    if not (text.isascii() and text.replace(".", "", 1).isdigit() and len(text) <= 16):  # noqa: PLR2004 - epoch milliseconds and some more
        raise refused(f"{name} is {text!r:.40}, which is no number", Refusal.NO_SUCH_INTENT)
    return float(text)


def switch_of(school: School, name: str) -> tuple[SwitchConfig, SwitchCli]:
    """The switch, and how it is logged in to; raises :class:`Refused`."""
    switch = next((one for one in school.switches if one.name == name), None)
    if switch is None:
        raise refused(f"there is no switch {name!r:.80} in school.yaml")
    if switch.cli is None:
        raise refused(f"school.yaml has no 'cli' for the switch {name}: it is only watched")
    return switch, switch.cli


def check_allowed(cli: SwitchCli, switch: str, intent: Intent) -> None:
    """Whether the school lets this be done at this switch at all."""
    if intent not in cli.intents:
        raise refused(f"school.yaml does not list {intent.value} in 'cli.intents' of {switch}")
    if intent is Intent.QUARANTINE and cli.quarantine_vlan is None:
        raise refused(f"school.yaml names no 'quarantine_vlan' for {switch}")


def check_free(book: PendingBook, switch: str) -> None:
    """Whether nothing is under way there."""
    if book.damage:
        raise refused(book.damage, Refusal.UNDER_WAY)
    standing = book.of(switch)
    if standing is not None:
        raise refused(
            f"the action {standing.action} ({standing.intent.value}) is not at its end at {switch}",
            Refusal.UNDER_WAY,
        )


def check_port(
    school: School, cli: SwitchCli, eyes: Eyes, *, switch: str, port: str, look: Look
) -> None:
    """Whether this port may be touched; ``look`` is of now."""
    reported = eyes.reported(switch)
    if reported is None or port not in reported or port not in look.ports:
        raise refused(f"{switch} reports no port {port!r:.80} now")
    for text in cli.protected:
        if _meant(eyes, switch, text, "cli.protected") == port:
            raise refused(f"{port} of {switch} is in 'cli.protected' of school.yaml")
    if port in eyes.own_ports(switch):
        raise refused(f"this gateway itself is reached through {port} of {switch}")
    allowed = {eyes.means(switch, text) for text in cli.allowed}
    for link in school.links:
        if link.switch != switch or link.tier not in CARRYING:
            continue
        if _meant(eyes, switch, link.port, f"the link {link.id}") == port and port not in allowed:
            raise refused(
                f"{port} of {switch} carries the {link.tier.value} link {link.id}, and school.yaml "
                "does not list it in 'cli.allowed'"
            )


def _meant(eyes: Eyes, switch: str, text: str, where: str) -> str:
    """The port a rule is about. A rule that means none cannot be kept, so nothing is touched."""
    port = eyes.means(switch, text)
    if port is None:
        raise refused(
            f"{where} names the port {text!r:.80}, and {switch} reports no single such port: "
            "correct school.yaml"
        )
    return port


def link_at(school: School, eyes: Eyes, switch: str, port: str) -> Link | None:
    """The promise that this port carries."""
    return next(
        (
            link
            for link in school.links
            if link.switch == switch and eyes.means(switch, link.port) == port
        ),
        None,
    )


def check_typed(dialect: Dialect, switch: str, port: str, reported: frozenset[str] | None) -> None:
    """Whether the name may be typed at all, by the vendor's grammar, and means one port.

    Rules and proofs go by the name that is polled, the switch by the one that is typed: were two
    polled ports typed alike, one would be changed and the other looked at.
    """
    try:
        typed = dialect.check_port(port)
    except CliError as error:
        raise refused(f"{switch}: {error}") from error
    for other in sorted((reported or frozenset()) - {port}):
        try:
            alike = dialect.check_port(other) == typed
        except CliError:
            continue  # no port that could be typed
        if alike:
            raise refused(f"{switch} reports {port!r:.80} and {other!r:.80}, both typed {typed}")


def check_automatic(approval: Approval, cli: SwitchCli, switch: str, intent: Intent) -> None:
    """Whether the city may do without asking people what it did not ask people for.

    An approver that is no account is admitted alone, for what the controller asked for, and only
    where the school has agreed to it.
    """
    standing = [one for one in approval.approvers if one.startswith(STANDING)]
    if not standing:
        return
    digits = standing[0].removeprefix(STANDING)
    fits = len(digits) == STANDING_DIGITS and not set(digits) - set("0123456789abcdef")
    if not fits or len(approval.approvers) > 1 or approval.requester != SYSTEM:
        raise refused("a standing approval approves alone what the city asks for", Refusal.PERSONS)
    if intent not in cli.automatic:
        raise refused(
            f"no person has approved it, and school.yaml does not list {intent.value} in "
            f"'cli.automatic' of {switch}",
            Refusal.PERSONS,
        )
