"""A Linux host as a switch: ``ethtool`` and ``ip``, under bash.

For the laboratory (tests/lab) and for white-box switches. There is no configuration that could be
shown or saved: what is set is gone at the next start. A line that says so stands in the plan where
other switches save, and saving by itself is refused. Neither PoE nor a quarantine VLAN nor
priorities: what a host has of them is not one program's. Nothing goes back by itself either: the
way back is the inverse lines.

Every line is one simple command; it goes through ``sudo -n``, so an account is enough that sudoers
lets run these few (docs/repairs.md has the rule; leave to run all of ``ip`` is leave to be root, by
``ip netns exec``). Where there is no sudo at all, a function of that name (made at login) calls the
program itself: then the account has to be root. Whether a command failed is told by bash's ERR
trap, which prints a line of its own; so the lines stay as people approve them. Another shell
refuses the trap, and so the login fails with that sentence.

Sources: ethtool(8) 6.1 and its netlink/settings.c and netlink/cable_test.c, ip-link(8) 6.1,
bash(1) "trap"; tried on Debian 12 as root and through sudo 1.9.13, with tap and veth, which know no
cable test.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from drivers.cli import grammar
from drivers.cli.dialect import (
    CableState,
    Change,
    Line,
    Meant,
    Pair,
    PortMode,
    PortSettings,
)
from drivers.cli.dialects.common import BOUNCE_SECONDS, CABLE_SECONDS
from drivers.cli.errors import BadPortError, CannotError, UnreadableError
from drivers.cli.plans import TRANSIENT
from drivers.cli.settings import differences
from tenone.vocabulary.intents import MEANINGS, Intent
from tenone.vocabulary.intents import Dialect as Name
from tenone.vocabulary.states import Duplex

SHOWN = 80
KEEP = Line("echo this host keeps no configuration")
"""Where other switches save: whoever approves it reads that there is nothing to save to."""
_ATTRIBUTES = frozenset({"enabled", "negotiation", "speed_mbps", "duplex"})
_DUPLEXES = {"Full": Duplex.FULL, "Half": Duplex.HALF}
_LINK = re.compile(
    r"[0-9]+: (?P<port>[^ :@]+)(?:@[^ :]+)?: <(?P<flags>[A-Z0-9_,-]*)> [^\n]*", re.ASCII
)
_SPEED = re.compile(r"([1-9][0-9]{0,6})Mb/s", re.ASCII)


class Linux:
    """See :class:`drivers.cli.dialect.Dialect`."""

    name = Name.LINUX
    device_type = "linux"
    prompt = re.compile(r"(?:^|[\r\n])(?:\S{0,120}|\[\S{1,80} \S{1,80}\])[$#][ ]?\Z")
    """``root@host:~# ``, ``[root@host ~]# `` at login, ``tenone$ `` from then on."""
    refusals: tuple[re.Pattern[str], ...] = (
        re.compile(r"(?m)^(?:[^\n]*\n)?tenone: failed [0-9]{1,3}\r?$"),
        re.compile(r"(?m)^.*\btrap: .*(?:bad trap|invalid signal|undefined signal).*$"),
    )
    """The line before tells why."""
    quiet: tuple[Line, ...] = (
        Line("unset PROMPT_COMMAND"),
        Line("PS1='tenone$ '"),
        Line("export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin"),
        Line('type -P sudo > /dev/null || sudo() { shift; "$@"; }'),
        Line("trap 'echo \"tenone: failed $?\"' ERR"),
    )
    leave: tuple[Line, ...] = ()
    """There is one view."""
    hinders: Mapping[Intent, re.Pattern[str]] = MappingProxyType({})

    def check_port(self, port: str) -> str:
        """As it is, or not at all."""
        return grammar.linux(port)

    def show_port(self, port: str) -> tuple[Line, ...]:
        """What ethtool has set, and whether the port is open."""
        typed = self.check_port(port)
        return (Line(f"sudo -n ethtool {typed}"), Line(f"sudo -n ip -o link show dev {typed}"))

    def read_port(self, port: str, answers: Sequence[str]) -> PortSettings:
        """What was negotiated is no setting, so it is left out."""
        typed = self.check_port(port)
        if len(answers) != len(self.show_port(port)):
            raise UnreadableError(f"{len(answers)} answers instead of two tell of {typed}")
        said = _ethtool(typed, answers[0])
        enabled = "UP" in _flags(typed, answers[1])
        if said["Auto-negotiation"] == "on":
            return PortSettings(enabled=enabled, mode=PortMode.UNSET)
        speed, duplex = _SPEED.fullmatch(said["Speed"]), _DUPLEXES.get(said["Duplex"])
        if said["Auto-negotiation"] != "off" or speed is None or duplex is None:
            raise UnreadableError(
                f"{typed} does not negotiate and does not say at what it is set: "
                f"{said['Speed'][:SHOWN]!a}, {said['Duplex'][:SHOWN]!a}"
            )
        return PortSettings(
            enabled=enabled,
            negotiation=False,
            speed_mbps=int(speed[1]),
            duplex=duplex,
            mode=PortMode.UNSET,
        )

    def set_port(self, port: str, before: PortSettings, after: PortSettings) -> tuple[Line, ...]:
        """Speed first, whether the port is open last."""
        typed = self.check_port(port)
        differ = {name for name, _ in differences(before, after)}
        if differ - _ATTRIBUTES:
            raise CannotError(
                "a Linux host has no power over Ethernet, quarantine VLAN or priority that "
                "software could set here"
            )
        lines = []
        if differ - {"enabled"}:
            lines.append(f"sudo -n ethtool -s {typed} {_negotiation(after)}")
        if "enabled" in differ:
            lines.append(f"sudo -n ip link set dev {typed} {'up' if after.enabled else 'down'}")
        return tuple(Line(line) for line in lines)

    def change(
        self, intent: Intent, port: str, before: PortSettings, after: PortSettings
    ) -> Change:
        """The lines, and the inverse ones."""
        typed = self.check_port(port)
        apply, undo = self.set_port(port, before, after), self.set_port(port, after, before)
        if intent is Intent.BOUNCE_PORT:
            up = Line(f"sudo -n ip link set dev {typed} up")
            down = Line(f"sudo -n ip link set dev {typed} down", pause=BOUNCE_SECONDS)
            apply, undo = (down, up), (up,)
        elif intent in TRANSIENT:
            raise CannotError("a Linux host gives no power over Ethernet")
        return Change(
            intent=intent,
            port=typed,
            before=before,
            after=after,
            apply=apply,
            undo=undo,
            keep=(KEEP,) if MEANINGS[intent].configures else (),
        )

    def save(self) -> tuple[Line, ...]:
        """There is nothing to save to."""
        raise CannotError("a Linux host has no configuration of its own that could be saved")

    def show_configuration(self) -> tuple[Line, ...]:
        """There is none."""
        raise CannotError("a Linux host has no configuration of its own that could be shown")

    def test_cable(self, port: str) -> tuple[Line, ...]:
        """Where the network card's driver has it; the others answer "not supported"."""
        typed = self.check_port(port)
        return (Line(f"sudo -n ethtool --cable-test {typed}", seconds=CABLE_SECONDS),)

    def read_cable(self, answers: Sequence[str]) -> tuple[Pair, ...]:
        """As many pairs as the card tells of."""
        return _cable(answers[-1] if answers else "")

    def meant(self, lines: Sequence[str]) -> Meant:
        """Word by word."""
        return _meant(lines)


def _negotiation(after: PortSettings) -> str:
    if after.negotiation:
        if after.speed_mbps is not None or after.duplex is not None:
            raise CannotError("a port of a Linux host that negotiates has no speed or duplex set")
        return "autoneg on"
    if after.speed_mbps is None or after.duplex is None or after.duplex.label is None:
        raise CannotError("a port of a Linux host that does not negotiate has speed and duplex")
    return f"autoneg off speed {after.speed_mbps:d} duplex {after.duplex.label}"


def _ethtool(port: str, answer: str) -> dict[str, str]:
    """The three that count, of :data:`netlink/settings.c`'s list; each exactly once."""
    lines = [line.rstrip(" \r") for line in answer.split("\n")]
    starts = [line for line in lines if line.startswith("Settings for ")]
    if starts != [f"Settings for {port}:"]:
        raise UnreadableError(f"ethtool does not tell how {port} is set")
    said: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.strip(" \t").partition(": ")
        if not colon or name not in {"Speed", "Duplex", "Auto-negotiation"}:
            continue
        if name in said:
            raise UnreadableError(f"ethtool tells twice of {port}: {line[:SHOWN]!a}")
        said[name] = value
    if len(said) != len(("Speed", "Duplex", "Auto-negotiation")):
        raise UnreadableError(f"ethtool does not tell speed, duplex and negotiation of {port}")
    return said


def _flags(port: str, answer: str) -> list[str]:
    # sudo warns of a host name that it cannot look up, and goes on.
    lines = [line for line in answer.split("\n") if not line.startswith("sudo: ")]
    found = _LINK.fullmatch("\n".join(lines).strip("\r\n"))
    if found is None or found["port"] != port:
        raise UnreadableError(f"ip does not tell whether {port} is open")
    return found["flags"].split(",")


_CODE = re.compile(r"Pair (?P<pair>[A-D]) code (?P<code>\S[^\n]*)", re.ASCII)
_LENGTH = re.compile(r"Pair (?P<pair>[A-D]),? fault length: (?P<metres>[0-9.]{1,8})m", re.ASCII)
_CODES = {
    "OK": CableState.OK,
    "Open Circuit": CableState.OPEN,
    "Short within Pair": CableState.SHORT,
    "Short to another pair": CableState.CROSSTALK,
}


def _cable(answer: str) -> tuple[Pair, ...]:
    """A short to another pair is nearest to what other switches call crosstalk."""
    states: dict[str, CableState] = {}
    metres: dict[str, float] = {}
    for line in answer.split("\n"):
        text = line.strip(" \t\r")
        if code := _CODE.fullmatch(text):
            if code["pair"] in states:
                raise UnreadableError(f"the cable test says twice how pair {code['pair']} is")
            states[code["pair"]] = _CODES.get(code["code"], CableState.UNKNOWN)
        elif (length := _LENGTH.fullmatch(text)) and length["metres"].count(".") <= 1:
            metres[length["pair"]] = float(length["metres"])
    if not states:
        raise UnreadableError("the cable test has no result")
    return tuple(Pair(name, states[name], metres.get(name)) for name in sorted(states))


def _meant(lines: Sequence[str]) -> Meant:
    ports: set[str] = set()
    sets: list[tuple[str, str]] = []
    strange: list[str] = []
    saves = False
    for line in lines:
        if line == "echo this host keeps no configuration":
            saves = True
            continue
        read = _command(line.split(" "))
        if read is None:
            strange.append(line)
        else:
            ports.add(read[0])
            sets.extend(read[1])
    return Meant(ports=frozenset(ports), sets=tuple(sets), saves=saves, strange=tuple(strange))


def _command(words: list[str]) -> tuple[str, list[tuple[str, str]]] | None:
    """(port, what is set) of one line; None: none of ours."""
    port, sets = "", None
    match words:
        case ["sudo", "-n", "ethtool", "-s", port, "autoneg", "on"]:
            sets = [("negotiation", "yes"), ("speed_mbps", "-"), ("duplex", "-")]
        case [
            "sudo",
            "-n",
            "ethtool",
            "-s",
            port,
            "autoneg",
            "off",
            "speed",
            speed,
            "duplex",
            half,
        ]:
            if speed.isascii() and speed.isdecimal() and half in {"full", "half"}:
                sets = [("negotiation", "no"), ("speed_mbps", speed), ("duplex", half)]
        case ["sudo", "-n", "ip", "link", "set", "dev", port, "up" | "down" as state]:
            sets = [("enabled", "yes" if state == "up" else "no")]
        case ["sudo", "-n", "ethtool", "--cable-test", port]:
            sets = []
    try:
        return None if sets is None else (grammar.linux(port), sets)
    except BadPortError:
        return None
