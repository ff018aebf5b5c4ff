"""The Sparkplug host's last STATE timestamp, kept over restarts so that it never goes back."""

import json
import logging
from pathlib import Path

from controller.store.files import replace_file

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
        try:
            replace_file(self._path, json.dumps({"state_ms": state_ms}).encode())
        except OSError as error:
            log.warning("the host's state cannot be kept: %s", error)
