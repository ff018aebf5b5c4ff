"""Names of everything a simulated switch may get wrong."""

from firmware_sims.switch.misbehave import Behaviour
from firmware_sims.switch.model import Quirk
from firmware_sims.switch.secured import Trick

Flaw = Behaviour | Quirk | Trick

NAMES = tuple(sorted([*Behaviour, *Quirk, *Trick]))
"""Every name ``--misbehave`` takes."""


def flaw(name: str) -> Flaw:
    """What ``name`` stands for; raises ValueError listing the names."""
    for kind in (Behaviour, Quirk, Trick):
        if name in list(kind):
            return kind(name)
    raise ValueError(f"no misbehaviour is called {name!r}: use one of {', '.join(NAMES)}")
