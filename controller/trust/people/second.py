"""The second factor: time-based codes (RFC 6238) and recovery codes. Pure but for randomness."""

import hashlib
import hmac
import io
import secrets

import pyotp
import segno

STEP_SECONDS = 30
DRIFT_STEPS = 1
"""One step early or late is taken (RFC 6238 section 5.2)."""
DIGITS = 6
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U to misread."""
RECOVERY_CODES = 10
RECOVERY_LENGTH = 16
"""80 bits each: a fast hash is enough to keep them by."""
ISSUER = "TenOne"


def new_secret() -> str:
    """160 random bits in base 32 (RFC 4226 section 4, R6)."""
    return pyotp.random_base32(32)


def address(secret: str, account: str, city: str) -> str:
    """What an authenticator reads (Key URI format)."""
    return pyotp.TOTP(secret).provisioning_uri(name=f"{account}@{city}", issuer_name=ISSUER)


def picture(text: str) -> str:
    """A QR code as an SVG document of its own, for an ``img`` element."""
    out = io.BytesIO()
    segno.make(text, error="m").save(
        out, kind="svg", scale=5, border=4, dark="#000", light="#fff", xmldecl=True
    )
    return out.getvalue().decode()


def step_of(secret: str, code: str, now: float, *, used: int) -> int | None:
    """The step a code is good for, later than ``used``; None: it is wrong, old or used."""
    digits = code.replace(" ", "")
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    current = int(now // STEP_SECONDS)
    totp = pyotp.TOTP(secret)
    found: int | None = None
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        same = hmac.compare_digest(totp.generate_otp(step), digits)  # all, so that time tells not
        if same and step > used and found is None:
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Ten codes, each good once in place of the second factor."""
    return [new_code(RECOVERY_LENGTH) for _ in range(RECOVERY_CODES)]


def new_code(length: int) -> str:
    """``7KQF-3M9X-0TBA``: ``length`` random characters in fours."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(length))
    return "-".join(text[start : start + 4] for start in range(0, length, 4))


def digest(code: str) -> str:
    """How a code is kept. Case, spaces, dashes and misread letters are forgiven."""
    kept = "".join(ch for ch in code.upper() if ch.isalnum())[:64]
    kept = kept.replace("O", "0").replace("I", "1").replace("L", "1")
    return hashlib.sha256(kept.encode(errors="replace")).hexdigest()


def inline(text: str) -> str:
    """The same as an ``svg`` element without styles or scripts, for a page under a strict CSP."""
    return segno.make(text, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff")
