"""What a UPS serves: the system group and UPS-MIB (RFC 1628), one line in, one out, no bypass."""

from collections.abc import Sequence

from firmware_sims.switch import ber
from firmware_sims.switch.ber import Arcs
from firmware_sims.switch.tree import WORD
from firmware_sims.ups.model import (
    LOW_MINUTES,
    NOMINAL_TENTH_HERTZ,
    NOMINAL_VOLTS,
    RATED_WATTS,
    Ups,
)

Value = int | bytes | Arcs
UPS_MIB: Arcs = (1, 3, 6, 1, 2, 1, 33)
_OBJECTS: Arcs = (*UPS_MIB, 1)
TRAPS: Arcs = (*UPS_MIB, 2)
ALARMS: Arcs = (*_OBJECTS, 6, 3)
"""upsWellKnownAlarms."""
MINUTES_LEFT: Arcs = (*_OBJECTS, 2, 3, 0)
ON_BATTERY_SECONDS: Arcs = (*_OBJECTS, 2, 2, 0)
LOW_TIME: Arcs = (*_OBJECTS, 9, 7, 0)
_SYSTEM: Arcs = (1, 3, 6, 1, 2, 1, 1)
_NORMAL, _LOW = 2, 3
"""upsBatteryStatus."""
_FROM_MAINS, _FROM_BATTERY = 3, 5
"""upsOutputSource."""
_I, _S, _O = ber.INTEGER, ber.OCTET_STRING, ber.OID


def _objects(ups: Ups) -> list[tuple[Arcs, int, Value]]:
    battery = ups.battery()
    load_percent = round(100 * ups.load_ratio)
    amps = RATED_WATTS * ups.load_ratio / NOMINAL_VOLTS
    volts_in = NOMINAL_VOLTS if ups.mains else 0
    discharge = 0 if ups.mains else round(10 * RATED_WATTS * ups.load_ratio / 48)
    mib = _OBJECTS
    alarms = [
        bound
        for number, (alarm, ticks) in enumerate(ups.alarms, start=1)
        for bound in (
            ((*mib, 6, 2, 1, 2, number), _O, (*ALARMS, alarm.value)),
            ((*mib, 6, 2, 1, 3, number), ber.TIMETICKS, ticks),
        )
    ]
    return [
        ((*_SYSTEM, 1, 0), _S, b"TenOne simulated UPS"),
        ((*_SYSTEM, 2, 0), _O, UPS_MIB),
        ((*_SYSTEM, 3, 0), ber.TIMETICKS, ups.uptime_ticks),
        ((*_SYSTEM, 4, 0), _S, b""),
        ((*_SYSTEM, 5, 0), _S, ups.name.encode()),
        ((*_SYSTEM, 6, 0), _S, b""),
        ((*mib, 1, 1, 0), _S, b"TenOne"),
        ((*mib, 1, 2, 0), _S, b"Simulated 1000"),
        ((*mib, 1, 3, 0), _S, b"1.0"),
        ((*mib, 1, 4, 0), _S, b"1.0"),
        ((*mib, 1, 5, 0), _S, ups.name.encode()),
        ((*mib, 1, 6, 0), _S, b""),
        ((*mib, 2, 1, 0), _I, _LOW if battery.is_low else _NORMAL),
        (ON_BATTERY_SECONDS, _I, battery.on_battery_seconds),
        (MINUTES_LEFT, _I, battery.minutes_left),
        ((*mib, 2, 4, 0), _I, int(100 * battery.charge_ratio)),
        ((*mib, 2, 5, 0), _I, ups.battery_tenth_volts),
        ((*mib, 2, 6, 0), _I, discharge),
        ((*mib, 2, 7, 0), _I, 24),
        ((*mib, 3, 1, 0), ber.COUNTER32, ups.line_bads),
        ((*mib, 3, 2, 0), _I, 1),
        ((*mib, 3, 3, 1, 2, 1), _I, NOMINAL_TENTH_HERTZ if ups.mains else 0),
        ((*mib, 3, 3, 1, 3, 1), _I, volts_in),
        ((*mib, 3, 3, 1, 4, 1), _I, round(10 * amps) if ups.mains else 0),
        ((*mib, 3, 3, 1, 5, 1), _I, round(RATED_WATTS * ups.load_ratio) if ups.mains else 0),
        ((*mib, 4, 1, 0), _I, _FROM_MAINS if ups.mains else _FROM_BATTERY),
        ((*mib, 4, 2, 0), _I, NOMINAL_TENTH_HERTZ),
        ((*mib, 4, 3, 0), _I, 1),
        ((*mib, 4, 4, 1, 2, 1), _I, NOMINAL_VOLTS),
        ((*mib, 4, 4, 1, 3, 1), _I, round(10 * amps)),
        ((*mib, 4, 4, 1, 4, 1), _I, round(RATED_WATTS * ups.load_ratio)),
        ((*mib, 4, 4, 1, 5, 1), _I, load_percent),
        ((*mib, 5, 1, 0), _I, 0),
        ((*mib, 5, 2, 0), _I, 0),
        ((*mib, 6, 1, 0), ber.GAUGE32, len(ups.alarms)),
        *alarms,
        ((*mib, 9, 1, 0), _I, NOMINAL_VOLTS),
        ((*mib, 9, 2, 0), _I, NOMINAL_TENTH_HERTZ),
        ((*mib, 9, 3, 0), _I, NOMINAL_VOLTS),
        ((*mib, 9, 4, 0), _I, NOMINAL_TENTH_HERTZ),
        ((*mib, 9, 5, 0), _I, RATED_WATTS),
        ((*mib, 9, 6, 0), _I, RATED_WATTS),
        (LOW_TIME, _I, LOW_MINUTES),
    ]


class UpsTree:
    """A UPS as :class:`firmware_sims.switch.tree.Tree`; one moment a request."""

    def __init__(self, ups: Ups) -> None:
        self._ups = ups
        self._keys: Sequence[bytes] = ()
        self._values: list[bytes] = []
        self.begin()

    @property
    def keys(self) -> Sequence[bytes]:
        """See :class:`firmware_sims.switch.tree.Tree`."""
        return self._keys

    def begin(self) -> bool:
        """Take the moment for which one request is answered; whether there is an answer."""
        answers = self._ups.answers()
        found = sorted(
            (ber.sort_key(arcs), bound(arcs, tag, content))
            for arcs, tag, content in _objects(self._ups)
        )
        keys = [key for key, _ in found]
        if keys != self._keys:
            self._keys = keys
        self._values = [value for _, value in found]
        return answers

    def varbind(self, position: int) -> bytes:
        """See :class:`firmware_sims.switch.tree.Tree`."""
        return self._values[position]

    def knows_object(self, key: bytes) -> bool:
        """By its siblings: scalars and rows have one arc behind their object."""
        return any(one[:-WORD] == key[:-WORD] for one in self._keys)


def bound(arcs: Arcs, tag: int, content: Value) -> bytes:
    """One variable binding."""
    return ber.tlv(ber.SEQUENCE, ber.oid(arcs) + ber.value(tag, content))
