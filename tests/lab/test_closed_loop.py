"""The closed loop at the honest lab: fault, verdict, repair, proof; or back, and what to carry.

`TENONE_LAB_ROUNDS` (default 1) rounds of each fault, `TENONE_SEED` (default 1) for the moments;
`TENONE_LAB_FAULTS` names some of them, separated by commas, instead of all.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.copper import NEGOTIATION_SECONDS
from tests.lab.faults import Fault, inject
from tests.lab.house import ALL_AUTO, STATE_SECONDS, House
from tests.lab.rounds import ENDS, STEADY, Rounds, table
from tests.lab.space import missing
from tests.lab.switch import SwitchLab, until

ROUNDS = int(os.environ.get("TENONE_LAB_ROUNDS", "1"))
SEED = int(os.environ.get("TENONE_SEED", "1"))
FAULTS = [Fault(name) for name in os.environ.get("TENONE_LAB_FAULTS", ",".join(Fault)).split(",")]
HOLD_SECONDS = 1.2

absent = missing()
pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(absent is not None, reason=str(absent)),
]
WHAT_IS_WHOSE = f"""
Debian's: kernel (ports, states), ethtool, ip, bash, snmpd (net-snmp), lldpd, sshd, mosquitto.
Ours: the wire (copper, negotiation of {NEGOTIATION_SECONDS} s after any change, no hardware's
figure) and dot3StatsDuplexStatus of taps, which net-snmp leaves out (pass_persist).
State poll {STATE_SECONDS} s, hold {HOLD_SECONDS} s. Seconds, median (max).
"""


def test_five_faults(tmp_path: Path) -> None:
    with (
        SwitchLab(tmp_path / "lab", ports=STEADY + ROUNDS) as lab,
        House(lab, tmp_path / "house", hold_seconds=HOLD_SECONDS) as house,
    ):
        rounds = Rounds(house, SEED)
        for _ in range(ROUNDS):
            for fault in FAULTS:
                made = rounds.play(fault)
                print(made)
    played = rounds.played
    wrong = [words for one in played for words in one.wrong]
    without_hold = [words for one in played for words in one.without_hold]
    print(WHAT_IS_WHOSE, table(played), sep="\n")
    print(f"wrong repairs {len(wrong)}, declared without the hold {len(without_hold)}")
    assert not wrong
    assert not without_hold
    assert all(one.ended_well for one in played), [one for one in played if not one.ended_well]


def test_people_cuts_and_old_news(tmp_path: Path) -> None:
    """snmpd tells what was up to 3 s ago; people ask and approve; a session dies in the middle."""
    modes = ALL_AUTO | {"enable-port": "propose"}
    with (
        SwitchLab(tmp_path / "lab", ports=STEADY, fresh=False) as lab,
        House(lab, tmp_path / "house", modes=modes, hold_seconds=HOLD_SECONDS) as house,
    ):
        rounds = Rounds(house, SEED)
        for fault in (Fault.FORCED_100, Fault.STUCK):
            made = rounds.play(fault)
            print(f"with net-snmp's cache: {made}")
            assert made.ended_well
            assert not made.wrong
            assert not made.without_hold
        _people(house, lab, lab.ports[0])
        _cut(house, lab, lab.ports[1])


def _people(house: House, lab: SwitchLab, port: str) -> None:
    house.until_all_good()
    inject(lab, Fault.ADMIN_DOWN, port)
    until(lambda: house.link(port)["verdict"] == "bad", "a bad verdict")
    action = house.approved("enable-port", port)
    until(lambda: house.last_step(action) == "done", "done", 40)
    assert lab.truth.now(port).good
    found = house.get(f"actions/{action}")
    assert (found["requester_name"], [one["name"] for one in found["approvers"]]) == (
        "li",
        ["wang"],
    )


def _cut(house: House, lab: SwitchLab, port: str) -> None:
    """Between down and up of a bounce every session at the switch is killed."""
    house.until_all_good()
    before = set(house.actions_at(port))
    injected = inject(lab, Fault.STUCK, port)
    was = lab.truth.now(port).setting
    until(lambda: not lab.truth.now(port).up, "the bounce begins", 40)
    assert lab.cut_sessions()
    cut = time.monotonic()
    until(lambda: lab.truth.now(port).setting == was, "the port is set as before, or after", 60)
    print(f"cut between down and up: open again after {time.monotonic() - cut:.2f} s")
    until(lambda: [*_ends(house, port, before)] != [], "the action's end", 60)
    assert lab.truth.now(port).setting == was
    assert injected.port == port


def _ends(house: House, port: str, before: set[str]) -> Iterator[str]:
    for action in house.actions_at(port):
        if action not in before and house.last_step(action) in ENDS:
            yield action
