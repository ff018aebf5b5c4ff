"""The Sparkplug host's last STATE timestamp, kept over restarts so that it never goes back."""

import json
import logging
import os
import secrets
from pathlib import Path

log = logging.getLogger(__name__)

HOST_STATE_FILE = "host-state.json"


class HostState:
    """One small file; without it the host starts from 0, which costs nothing but a rebirth."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / HOST_STATE_FILE

    def last_ms(self) -> int:
        """The timestamp last kept, epoch ms; 0 where there is none."""
        try:
            return int(json.loads(self._path.read_bytes())["state_ms"])
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s is not readable (%s); starting without it", HOST_STATE_FILE, error)
            return 0

    def keep(self, state_ms: int) -> None:
        """Replace the file; a failure is logged and hinders nothing."""
        fresh = self._path.with_suffix(f".{secrets.token_hex(4)}")
        try:
            with fresh.open("wb") as file:
                file.write(json.dumps({"state_ms": state_ms}).encode())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            log.warning("the host's state cannot be kept: %s", error)
