"""The closed loop at the honest lab: fault, verdict, repair, proof; or back, and what to carry.

`TENONE_LAB_ROUNDS` (default 1) rounds of each fault, `TENONE_SEED` (default 1) for the moments.
"""

import os
from pathlib import Path

import pytest

from tests.lab.copper import NEGOTIATION_SECONDS
from tests.lab.faults import Fault
from tests.lab.house import STATE_SECONDS, House
from tests.lab.rounds import Rounds, table
from tests.lab.space import missing
from tests.lab.switch import SwitchLab

ROUNDS = int(os.environ.get("TENONE_LAB_ROUNDS", "1"))
SEED = int(os.environ.get("TENONE_SEED", "1"))
HOLD_SECONDS = 1.2
PORTS = 12

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
        SwitchLab(tmp_path / "lab", ports=PORTS) as lab,
        House(lab, tmp_path / "house", hold_seconds=HOLD_SECONDS) as house,
    ):
        rounds = Rounds(house, SEED)
        for _ in range(ROUNDS):
            for fault in Fault:
                made = rounds.play(fault)
                print(f"{made}")
    played = rounds.played
    wrong = [words for one in played for words in one.wrong]
    without_hold = [words for one in played for words in one.without_hold]
    print(WHAT_IS_WHOSE, table(played), sep="\n")
    print(f"wrong repairs {len(wrong)}, declared without the hold {len(without_hold)}")
    assert not wrong
    assert not without_hold
    assert all(one.ended_well for one in played), [one for one in played if not one.ended_well]
