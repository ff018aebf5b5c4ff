"""Names of ports as they may be typed: one grammar a vendor, nothing else ever becomes a line.

A port is known by the name its switch reported over SNMP (ifName, or ifDescr where there is no
ifName). Switches abbreviate there (``Gi1/0/3``, ``XGE0/0/1``) and some add what somebody typed as
the port's description (ZTE), so a name is taken apart and put together again from known words and
numbers; what was read is never passed on. Letters and digits are ASCII only.

Sources: Huawei "Interface Management" (S-series and CloudEngine configuration guides), H3C
"Ethernet interface configuration" and its list of abbreviations, Cisco "Interface and hardware
component configuration guide", Ruijie "Configuring interfaces", ZTE "ZXR10 5900E command
reference", Linux ``dev_valid_name`` (net/core/dev.c). Every name in the recorded devices of the
tests is taken.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from drivers.cli.errors import BadPortError

MOST = 255
"""Characters of a name with what may stand behind it (ifName, RFC 2863: 255 octets)."""
SHOWN = 40
"""Characters of a refused name that a sentence repeats."""
KEEP = "keep"
"""As it was read, of those that may be; and one there must be where a word comes first."""
_NAME = re.compile(r"(?P<kind>[0-9]{0,3}[A-Za-z][A-Za-z-]*?|)(?P<gap>[ _-]?)(?P<numbers>[0-9/:]+)")
_TAIL = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PortGrammar:
    """How one vendor names Ethernet ports."""

    vendor: str
    """For sentences."""
    kinds: Mapping[str, str]
    """What comes before the numbers, in small letters -> as it is typed."""
    numbers: re.Pattern[str]
    """Slots and ports, whole."""
    gaps: str = ""
    """What may stand between the two, beside nothing."""
    gap: str = ""
    """What is typed there."""
    single: frozenset[str] = frozenset()
    """Kinds (in small letters) that are followed by one number only."""
    tail: bool = False
    """The switch adds the port's description behind a space: left out, never typed."""

    def typed(self, port: str) -> str:
        """The name as it is typed; :class:`BadPortError` for anything else."""
        name, _, description = port.partition(" ") if self.tail else (port, "", "")
        found = _NAME.fullmatch(name)
        if len(port) > MOST or found is None or _TAIL.fullmatch(description) is None:
            raise self._bad(port)
        kind = found["kind"].lower()
        typed = self.kinds.get(kind)
        gap = found["gap"]
        if typed is None or gap not in self.gaps:
            raise self._bad(port)
        if self.gap == KEEP and bool(gap) != bool(kind):
            raise self._bad(port)
        numbers = _ONE if kind in self.single else self.numbers
        if numbers.fullmatch(found["numbers"]) is None:
            raise self._bad(port)
        return f"{typed}{gap if self.gap == KEEP else self.gap}{found['numbers']}"

    def is_typed(self, port: str) -> bool:
        """Whether ``port`` is a name as it is typed, letter for letter."""
        try:
            return self.typed(port) == port
        except BadPortError:
            return False

    def same(self, one: str, two: str) -> bool:
        """Whether two names stand for one port; a name out of the grammar is nobody's."""
        try:
            return self.typed(one) == self.typed(two)
        except BadPortError:
            return False

    def _bad(self, port: str) -> BadPortError:
        return bad_port(self.vendor, port)


def bad_port(vendor: str, port: str) -> BadPortError:
    """The refusal: what was read is repeated escaped and cut."""
    shown = ascii(port[:SHOWN]) + ("..." if len(port) > SHOWN else "")
    return BadPortError(
        f"{shown} is no name of an Ethernet port of a {vendor} switch: nothing is typed for it"
    )


_NUMBER = r"(?:0|[1-9][0-9]{0,3})"
_ONE = re.compile(_NUMBER)


def _numbers(least: int, most: int, part: str = "") -> re.Pattern[str]:
    """So many numbers with slashes between them, and perhaps the part of a port that was split."""
    return re.compile(rf"{_NUMBER}(?:/{_NUMBER}){{{least - 1},{most - 1}}}{part}")


_PART = "(?::[1-8])?"


_SPEEDS = ("10", "25", "40", "50", "100", "200", "400", "800")

HUAWEI_VRP5 = PortGrammar(
    vendor="Huawei",
    kinds={
        "ethernet": "Ethernet",
        "eth": "Ethernet",
        "gigabitethernet": "GigabitEthernet",
        "ge": "GigabitEthernet",
        "xgigabitethernet": "XGigabitEthernet",
        "xge": "XGigabitEthernet",
        "multige": "MultiGE",
        "mge": "MultiGE",
        "meth": "MEth",
        **{f"{speed}ge": f"{speed}GE" for speed in _SPEEDS},
    },
    numbers=_numbers(3, 4),
)
"""VRP5 prints GE and XGE in short lists and takes the long words everywhere."""

HUAWEI_VRP8 = PortGrammar(
    vendor="Huawei",
    kinds={
        "ethernet": "Ethernet",
        "gigabitethernet": "GigabitEthernet",
        "ge": "GE",
        "xge": "10GE",
        "multige": "MultiGE",
        "meth": "MEth",
        **{f"{speed}ge": f"{speed}GE" for speed in _SPEEDS},
    },
    numbers=_numbers(3, 4, _PART),
)
"""On CloudEngine and S5700 of YunShan OS the short word is the name, on NE routers the long one;
either is typed as it was read."""

COMWARE = PortGrammar(
    vendor="H3C or HPE Comware",
    kinds={
        "ethernet": "Ethernet",
        "eth": "Ethernet",
        "gigabitethernet": "GigabitEthernet",
        "ge": "GigabitEthernet",
        "ten-gigabitethernet": "Ten-GigabitEthernet",
        "xge": "Ten-GigabitEthernet",
        "m-gigabitethernet": "M-GigabitEthernet",
        "m-ge": "M-GigabitEthernet",
        "m-ethernet": "M-Ethernet",
        "m-eth": "M-Ethernet",
        "twenty-fivegige": "Twenty-FiveGigE",
        "wge": "Twenty-FiveGigE",
        "fortygige": "FortyGigE",
        "fge": "FortyGigE",
        "fiftygige": "FiftyGigE",
        "hundredgige": "HundredGigE",
        "hge": "HundredGigE",
    },
    numbers=_numbers(2, 4, _PART),
)

_IOS_KINDS = {
    "ethernet": "Ethernet",
    "et": "Ethernet",
    "eth": "Ethernet",
    "fastethernet": "FastEthernet",
    "fa": "FastEthernet",
    "fas": "FastEthernet",
    "gigabitethernet": "GigabitEthernet",
    "gi": "GigabitEthernet",
    "gig": "GigabitEthernet",
    "twogigabitethernet": "TwoGigabitEthernet",
    "tw": "TwoGigabitEthernet",
    "fivegigabitethernet": "FiveGigabitEthernet",
    "fi": "FiveGigabitEthernet",
    "tengigabitethernet": "TenGigabitEthernet",
    "te": "TenGigabitEthernet",
    "ten": "TenGigabitEthernet",
    "twentyfivegige": "TwentyFiveGigE",
    "twe": "TwentyFiveGigE",
    "fortygigabitethernet": "FortyGigabitEthernet",
    "fo": "FortyGigabitEthernet",
    "for": "FortyGigabitEthernet",
    "hundredgige": "HundredGigE",
    "hu": "HundredGigE",
}

CISCO_IOS = PortGrammar(
    vendor="Cisco",
    kinds=_IOS_KINDS,
    numbers=_numbers(1, 3),
    gaps=" ",
)

RUIJIE = PortGrammar(
    vendor="Ruijie",
    kinds={
        "fastethernet": "FastEthernet",
        "fa": "FastEthernet",
        "gigabitethernet": "GigabitEthernet",
        "gi": "GigabitEthernet",
        "tengigabitethernet": "TenGigabitEthernet",
        "te": "TenGigabitEthernet",
        "twentyfivegigabitethernet": "TwentyFiveGigabitEthernet",
        "tf": "TwentyFiveGigabitEthernet",
        "fortygigabitethernet": "FortyGigabitEthernet",
        "fo": "FortyGigabitEthernet",
        "hundredgigabitethernet": "HundredGigabitEthernet",
        "hu": "HundredGigabitEthernet",
        "mgmt": "Mgmt",
        "mg": "Mgmt",
    },
    numbers=_numbers(2, 3),
    gaps=" ",
    gap=" ",
    single=frozenset({"mgmt", "mg"}),
)

ZTE = PortGrammar(
    vendor="ZTE",
    kinds={
        kind: kind
        for kind in ("fei", "gei", "xgei", "xxvgei", "xlgei", "lgei", "cgei", "ccgei", "cdgei", "")
    },
    numbers=_numbers(2, 4),
    gaps="-_",
    gap=KEEP,
    tail=True,
)
"""``gei-0/1/1/1`` (5900, V3), ``gei_1/1`` (V2), ``1/1`` (5250: the number alone)."""

_LINUX = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,14}")


def linux(port: str) -> str:
    """The name of an interface of a Linux host: at most 15 characters (IFNAMSIZ)."""
    if _LINUX.fullmatch(port) is None:
        raise bad_port("Linux", port)
    return port
