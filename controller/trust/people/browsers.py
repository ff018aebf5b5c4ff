"""Browsers an account has signed in by before: the cookie they carry, and what it is good for.

Good for one thing: such a browser has a count of failures of its own, so nobody else can lock its
holder out (OWASP, "Device Cookies"). It is no factor and opens nothing: name, password and second
factor are wanted as ever.

A cookie is ``.``-joined tokens, one for each account of the browser, the newest first. A token is
AES-256-GCM of the browser's id and its end, bound to the account's name, under a key of our own
that is renewed every 30 days; who takes it learns neither. The records say whether it still counts.
"""

import base64
import binascii
import json
import re
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path

from tenone.trust.envelope import EnvelopeError, Suite, data_key, seal, unseal
from tenone.trust.files import KeyFileError
from tenone.trust.sealed_files import SealedFiles

KEPT_SECONDS = 90 * 86_400.0
"""From the last sign-in by that browser."""
RENEW_SECONDS = 30 * 86_400.0
KEYS_FILE = "browsers.key"
WHAT = "browser cookies"
ID_BYTES = 16
KEY_ID_BYTES = 4
MOST_TOKENS = 4
"""Accounts a browser remembers; and what is looked at of any cookie."""
MOST_TOKEN = 120
_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{1,{MOST_TOKEN}}}")
"""What is given back of a cookie: anything else might be no cookie's text, nor a header's."""
_TEXT = struct.Struct(f">{ID_BYTES}sQ")


@dataclass(slots=True)
class Browser:
    """The browser somebody comes by: the cookie it shows, and the one it gets, empty: none."""

    shown: str = ""
    given: str = ""


@dataclass(frozen=True, slots=True)
class _Key:
    id: bytes
    made: float
    key: bytes


class BrowserKeys:
    """The keys of the cookies, beside the records, readable by us alone."""

    def __init__(self, path: Path | None = None, files: SealedFiles | None = None) -> None:
        """``path`` None: in memory alone. Blocks; raises KeyFileError."""
        self._path = path
        self._files = files or SealedFiles()
        self._keys: list[_Key] = []
        if path is not None and path.exists():
            self._keys = _read(path, self._files)

    def seal(self, browser: str, account: str, until: float, now: float) -> str:
        """A token; raises KeyFileError where a new key is due and cannot be kept. Blocks."""
        newest = self._keys[-1] if self._keys else None
        if newest is None or not 0 <= now - newest.made < RENEW_SECONDS:
            newest = self._renew(now)
        text = _TEXT.pack(bytes.fromhex(browser), int(until))
        sealed = newest.id + seal(Suite.AES, newest.key, text, _bound(account))
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, token: str, account: str, now: float) -> str:
        """The browser's id; empty: not one of this account, of no key of ours, or over."""
        if len(token) > MOST_TOKEN:
            return ""
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError):
            return ""
        for one in self._keys:
            if one.id == sealed[:KEY_ID_BYTES]:
                try:
                    text = unseal(Suite.AES, one.key, sealed[KEY_ID_BYTES:], _bound(account))
                    browser, until = _TEXT.unpack(text)
                except (EnvelopeError, struct.error):
                    return ""
                return browser.hex() if until > now else ""
        return ""

    def shown(self, cookie: str, account: str, now: float) -> str:
        """The id of the browser that shows ``cookie``, where this account knows one."""
        found = (self.open(token, account, now) for token in _tokens(cookie))
        return next((one for one in found if one), "")

    def cookie(self, before: str, account: str, browser: str, until: float, now: float) -> str:
        """The browser's next cookie: this account's token first, those of others kept."""
        others = [one for one in _tokens(before) if one and not self.open(one, account, now)]
        kept = [one for one in others if _TOKEN.fullmatch(one)]
        return ".".join([self.seal(browser, account, until, now), *kept][:MOST_TOKENS])

    def _renew(self, now: float) -> _Key:
        made = _Key(secrets.token_bytes(KEY_ID_BYTES), now, data_key(Suite.AES))
        keys = [one for one in self._keys if now - one.made < RENEW_SECONDS + KEPT_SECONDS]
        keys = [*keys[-9:], made]
        if self._path is not None:
            rows = [{"id": one.id.hex(), "made": one.made, "key": one.key.hex()} for one in keys]
            self._files.write(self._path, WHAT, json.dumps(rows).encode())
        self._keys = keys
        return made


def new_id() -> str:
    """128 random bits, in hex."""
    return secrets.token_hex(ID_BYTES)


def _tokens(cookie: str) -> list[str]:
    return cookie.split(".", MOST_TOKENS)[:MOST_TOKENS]


def _bound(account: str) -> bytes:
    return b"tenone browser " + account.encode(errors="replace")


def _read(path: Path, files: SealedFiles) -> list[_Key]:
    try:
        rows = json.loads(files.read(path, WHAT))
        keys = [
            _Key(bytes.fromhex(row["id"]), float(row["made"]), bytes.fromhex(row["key"]))
            for row in rows
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise KeyFileError(
            f"{path} does not hold keys: delete it; then every browser counts as a new one"
        ) from error
    return keys
