"""What lets the demo repair: pinned host keys of simulated switches, the city's approval keys."""

import logging
from collections.abc import Mapping
from pathlib import Path

from agents.approvals import pin_first_keys
from agents.sessions import HOST_KEYS
from agents.used_approvals import UsedApprovals
from controller.trust.approval_signer import ApprovalSigner
from firmware_sims.city import CITY_ID, SchoolPlan, Served
from firmware_sims.repairs import ConsoleAt
from tenone.journal.disk import OsDisk

LONG_AGO_MS = 1


def console_of(ready: Mapping[str, object]) -> ConsoleAt | None:
    """Where a simulated switch is logged in to, by its ready line."""
    console = ready.get("console")
    if not isinstance(console, dict):
        return None
    return ConsoleAt(
        host=str(console["host"]),
        port=int(console["port"]),
        dialect=str(console["dialect"]),
        host_key=str(console["host_key"]),
    )


def enrol(school: SchoolPlan, served: Mapping[str, Served], trust: Path, outbox: Path) -> None:
    """What an enrolment and a walk to the switches' consoles bring to a school.

    ``trust``: where the running controller keeps its keys. The agent's book of used approvals is
    begun long ago, or it would refuse what is approved in its first minute.
    """
    disk = OsDisk()
    logging.getLogger(UsedApprovals.__module__).setLevel(logging.ERROR)  # it is missing, of course
    pin_first_keys(outbox, ApprovalSigner(trust, CITY_ID).keys, disk)
    UsedApprovals(outbox, disk=disk, now_ms=LONG_AGO_MS)
    consoles = (served[one.name].console for one in school.switches)
    lines = sorted(one.host_key.strip() for one in consoles if one is not None)
    disk.replace(outbox / HOST_KEYS, "".join(f"{line}\n" for line in lines).encode("ascii"))
