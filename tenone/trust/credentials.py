"""A private file of generated passwords, one for each account of a broker.

JSON, name -> 256 random bits; mode 0600, sealed where there is a vault. Made once, handed out
once, read again only to set the account anew where a broker has lost it. A mark tells which
password an account was given without telling the password.
"""

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from tenone.trust.files import KeyFileError
from tenone.trust.masked import Secret
from tenone.trust.sealed_files import SealedFiles

SECRET_BYTES = 32
MARK = "tenone"
MARK_DIGITS = 16
WHAT = "broker passwords"


class CredentialsError(Exception):
    """The file cannot be used; one sentence that names it."""


def new_secret() -> Secret:
    """256 random bits as text without padding."""
    return Secret(base64.urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).decode().rstrip("="))


def mark_of(name: str, secret: Secret | None) -> str:
    """``tenone``, and for an account with a password 64 bits of its hash.

    Of 256 random bits, 64 bits of a hash tell nothing useful.
    """
    if secret is None:
        return MARK
    digest = hashlib.sha256(f"{name}\0{secret.use()}".encode()).hexdigest()
    return f"{MARK}:{digest[:MARK_DIGITS]}"


def read_credentials(path: Path, files: SealedFiles | None = None) -> dict[str, Secret]:
    """All of the file; nothing where there is none yet. Raises :class:`CredentialsError`."""
    if not path.exists():
        return {}
    try:
        document = json.loads((files or SealedFiles()).read(path, WHAT))
    except KeyFileError as error:
        raise CredentialsError(str(error)) from error
    except ValueError:
        # The cause would quote what stands in the file.
        raise CredentialsError(
            f"{path} is not JSON: take it from a backup; a new file means new passwords for all"
        ) from None
    if not isinstance(document, dict) or not all(
        isinstance(one, str) and _long_enough(one) for one in document.values()
    ):
        raise CredentialsError(
            f"{path} is no file of generated passwords (a JSON object of names and 256-bit "
            "secrets): take it from a backup, or remove it to make new ones"
        )
    return {name: Secret(secret) for name, secret in document.items()}


def make_credentials(
    path: Path,
    names: Iterable[str],
    *,
    anew: Iterable[str] = (),
    files: SealedFiles | None = None,
) -> Mapping[str, Secret]:
    """Add passwords for the ``names`` that have none and replace those of ``anew``.

    Returns what was made, to be handed out now. Raises :class:`CredentialsError`.
    """
    kept = read_credentials(path, files)
    due = [name for name in names if name not in kept]
    made = {name: new_secret() for name in (*due, *anew)}
    if made:
        whole = {name: secret.use() for name, secret in sorted({**kept, **made}.items())}
        try:
            data = (json.dumps(whole, indent=1) + "\n").encode()
            (files or SealedFiles()).write(path, WHAT, data)
        except KeyFileError as error:
            raise CredentialsError(str(error)) from error
    return made


def _long_enough(text: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(f"{text}=")) >= SECRET_BYTES
    except (ValueError, binascii.Error):
        return False
