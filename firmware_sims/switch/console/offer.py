"""Which consoles a fleet offers: dialect by make, logins, host keys by seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from firmware_sims import control
from firmware_sims.switch.console.front import ConsoleFront, Login
from firmware_sims.switch.console.keys import SimKey
from firmware_sims.switch.console.line import SHELLS
from firmware_sims.switch.model import Switch
from firmware_sims.switch.vendors import Vendor
from tenone.vocabulary.intents import Dialect

OWN = "vendor"
"""Each switch speaks what its make speaks."""
DIALECTS: Mapping[Vendor, Dialect] = {
    Vendor.HUAWEI: Dialect.HUAWEI_VRP5,
    Vendor.HUAWEI_CE: Dialect.HUAWEI_VRP8,
    Vendor.H3C: Dialect.COMWARE,
    Vendor.RUIJIE: Dialect.RUIJIE,
    Vendor.ZTE: Dialect.ZTE,
    Vendor.CISCO: Dialect.CISCO_IOS,
}
_LONGEST_ANSWER_SECONDS = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Consoles for every switch of a fleet."""

    speaks: str = OWN
    """A dialect, or :data:`OWN`."""
    login: Login = field(default_factory=Login)
    host: str = "127.0.0.1"
    seed: int = 0

    def front(self, switch: Switch, speaks: str = "") -> ConsoleFront:
        """The console of ``switch`` on a free port; ``speaks``: what its plan says of it.

        Raises OSError, or ValueError for a dialect nobody speaks here.
        """
        return ConsoleFront(
            switch,
            dialect(speaks or self.speaks, switch.style.vendor),
            host=self.host,
            login=self.login,
            key=SimKey(f"{self.seed}/{switch.name}"),
        )


def dialect(name: str, vendor: Vendor) -> Dialect:
    """The dialect called ``name``, or the vendor's own; raises ValueError listing them."""
    if name == OWN:
        return DIALECTS[vendor]
    if name not in {spoken.value for spoken in SHELLS}:
        raise ValueError(
            f"no simulated switch speaks {name!r}: use {OWN}, or one of {', '.join(SHELLS)}"
        )
    return Dialect(name)


def misbehave(front: ConsoleFront, options: Mapping[str, object]) -> None:
    """A control line for a console; raises ValueError with one sentence.

    ``{"hang": true, "refuse": true, "answer_seconds": 2, "cut_after": 3, "cut_on": "commit",
    "cut_before_effect": false, "cut": true}``; what is not named stays, ``cut`` cuts now.
    """
    flags = ("hang", "refuse", "cut_before_effect")
    control.refuse_others(options, *flags, "answer_seconds", "cut_after", "cut_on", "cut")
    wrong = front.misbehave
    found: dict[str, object] = {k: control.flag(options[k], k) for k in flags if k in options}
    if "answer_seconds" in options:
        found["answer_seconds"] = control.number(
            options["answer_seconds"], "answer_seconds", 0, _LONGEST_ANSWER_SECONDS
        )
    if "cut_after" in options:
        found["cut_after"] = int(control.number(options["cut_after"], "cut_after", 1, 1e6))
    if "cut_on" in options:
        found["cut_on"] = control.text(options, "cut_on")
    now = control.flag(options.get("cut", False), "cut")
    for name, value in found.items():
        setattr(wrong, name, value)
    if now:
        front.cut()
