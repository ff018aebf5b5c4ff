"""The hardware addresses of this machine: where a switch has learnt them, the gateway hangs."""

from pathlib import Path

PLACE = Path("/sys/class/net")
NONE = "00:00:00:00:00:00"


def own_addresses(place: Path = PLACE) -> frozenset[str]:
    """Lower-case hex with colons; nothing where the system does not tell (not Linux)."""
    found: set[str] = set()
    try:
        interfaces = list(place.iterdir())
    except OSError:
        return frozenset()
    for interface in interfaces:
        try:
            found.add((interface / "address").read_text(encoding="ascii").strip().lower())
        except (OSError, UnicodeDecodeError):
            continue  # it went away, or is of a kind that has none
    return frozenset(found - {NONE, ""})
