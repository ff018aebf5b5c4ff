"""Which schools of the demo's city have their switches repaired, and how far by themselves.

Pure data. Most schools hold lessons at all hours, so there repairs are proposed and held back. Two
of twelve have holidays: at one the city repairs by itself, at the other it asks people.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

CLI_USER = "tenone"
CLI_PASSWORD = "simulated"  # noqa: S105 - a simulator's
CLI_VARIABLE = "TENONE_DEMO_CLI"
"""The environment variable that holds the password of the simulated command lines."""
VACATION = "vacation"
"""The calendar and the profile of the schools that have holidays."""
GROUP = 6
AUTOMATIC = ("restore-negotiation", "bounce-port", "enable-port", "cable-diagnosis")
SETTLE_SECONDS, HOLD_SECONDS = 3, 3
PLENTY = 10_000
"""In a demo something breaks all the time; a day's caps would be used up in minutes."""


class Care(StrEnum):
    """How far the city goes at a school."""

    MENDS = "mends"
    """Has holidays, and its switches may be repaired without asking a person."""
    ASKS = "asks"
    """Has holidays; the city asks, people approve."""
    TEACHES = "teaches"
    """Holds lessons: what would help is said, and what holds it back."""

    @property
    def has_holidays(self) -> bool:
        """Nobody is taught there now."""
        return self is not Care.TEACHES


def care_of(number: int) -> Care:
    """By the place of a school in the city, from 0."""
    return {0: Care.MENDS, 1: Care.ASKS}.get(number % GROUP, Care.TEACHES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleAt:
    """Where a simulated switch is logged in to, as its ready line says."""

    host: str
    port: int
    dialect: str
    host_key: str
    """Its line of a ``known_hosts`` file."""


def cli_yaml(console: ConsoleAt, care: Care) -> dict[str, object]:
    """``cli`` of a switch in school.yaml."""
    consent = list(AUTOMATIC) if care is Care.MENDS else []
    return {
        "dialect": console.dialect,
        "host": console.host,
        "port": console.port,
        "username": CLI_USER,
        "password": f"env:{CLI_VARIABLE}",
        "quarantine_vlan": 99,
        **({"automatic": consent} if consent else {}),
    }


def enforcement_yaml(scopes: dict[str, Care]) -> dict[str, object]:
    """``enforcement`` of city.yaml; ``scopes``: schools by their path."""
    return {
        "mode": "propose",
        "modes": [
            {"scope": scope, "actions": list(AUTOMATIC), "mode": "auto"}
            for scope, care in scopes.items()
            if care.has_holidays
        ],
        "settle_seconds": SETTLE_SECONDS,
        "hold_seconds": HOLD_SECONDS,
        "caps": {
            "changes_a_day": PLENTY,
            "failures_a_day": PLENTY,
            "at_once_in_a_district": 4,
        },
    }


def profile_yaml(vacation: Path | None) -> dict[str, object]:
    """What is particular to the profile of schools with holidays."""
    return {} if vacation is None else {"calendar": VACATION}
