"""Secrets by reference, never inline: ``env:``, ``file:``, ``credential:`` or ``vault:``.

A reference may be printed and logged; the secret itself exists only in what :meth:`SecretRef.fetch`
returns, masked, and is never kept, compared or formatted here.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from tenone.config.refusal import base_directory, refusal
from tenone.trust.envelope import EnvelopeError, KeyKey
from tenone.trust.masked import Secret
from tenone.trust.vault import Vault, VaultError, Versions
from tenone.trust.vault_file import NAME as VAULT_NAME

MAX_BYTES = 65_536
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CREDENTIAL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Where systemd puts what a unit's LoadCredential names (systemd.exec(5))."""
REMEDY = (
    "write 'env:NAME' for an environment variable, 'file:PATH' for a file, 'vault:NAME' for a "
    "secret of the vault, or 'credential:NAME' for one of systemd"
)


class SecretError(Exception):
    """A secret that cannot be had; the message names the reference, never the secret."""


@dataclass(frozen=True, slots=True)
class VaultPlace:
    """Which vault a file's ``vault:`` references mean, and where its key is."""

    path: Path
    key: "SecretRef"

    def open(self, environment: Mapping[str, str] = os.environ) -> Vault:
        """The vault, unlocked; raises :class:`SecretError`."""
        key = vault_key(self.key, environment)
        try:
            return Vault.open(self.path, key)
        except VaultError as error:
            raise SecretError(str(error)) from error


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is kept."""

    scheme: str
    """``env``, ``file``, ``credential`` or ``vault``."""
    name: str
    """The variable's name, the file's absolute path, or the name there."""
    vault: VaultPlace | None = None
    """Where ``vault`` looks."""

    @classmethod
    def parse(cls, text: str, base: Path, vault: VaultPlace | None = None) -> "SecretRef":
        """Read a reference; a file's path is relative to ``base``. Raises ValueError.

        The message never repeats ``text``: it may be the secret itself.
        """
        scheme, separator, name = text.partition(":")
        if separator and scheme == "env" and _ENVIRONMENT_NAME.fullmatch(name):
            return cls("env", name)
        if separator and scheme == "file" and name and "\0" not in name:
            return cls("file", str(base / Path(name).expanduser()))
        if separator and scheme == "credential" and _CREDENTIAL_NAME.fullmatch(name):
            return cls("credential", name)
        if separator and scheme == "vault" and VAULT_NAME.fullmatch(name):
            if vault is None:
                raise ValueError("there is no vault here that 'vault:NAME' could mean")
            return cls("vault", name, vault)
        raise ValueError("a secret must be a reference, never the secret itself")

    def fetch(self, environment: Mapping[str, str] = os.environ) -> Secret:
        """Fetch the secret, masked; raises :class:`SecretError`.

        One newline at the end of a file is not part of the secret.
        """
        match self.scheme:
            case "env":
                return self._from_environment(environment)
            case "file":
                return _read(Path(self.name), f"the secret's file {self.name}")
            case "credential":
                return self._from_systemd(environment)
            case _:
                return self.versions(environment).current

    def reveal(self, environment: Mapping[str, str] = os.environ) -> str:
        """The bare text, for where it is used up on the spot. What is kept is :meth:`fetch`ed."""
        return self.fetch(environment).use()

    def versions(self, environment: Mapping[str, str] = os.environ) -> Versions:
        """What it is and, in a vault, what it shall be next; raises :class:`SecretError`."""
        if self.vault is None:
            return Versions(self.name, self.fetch(environment), 0)
        try:
            return self.vault.open(environment).versions(self.name)
        except VaultError as error:
            raise SecretError(str(error)) from error

    def _from_environment(self, environment: Mapping[str, str]) -> Secret:
        secret = environment.get(self.name, "")
        if not secret:
            raise SecretError(
                f"the environment variable {self.name} is not set or empty: "
                "set it to the secret before starting"
            )
        return Secret(secret)

    def _from_systemd(self, environment: Mapping[str, str]) -> Secret:
        folder = environment.get(CREDENTIALS, "")
        if not folder:
            raise SecretError(
                f"there is no {CREDENTIALS} to take {self.name} from: start TenOne by a systemd "
                f"unit with 'LoadCredential={self.name}:PATH'; for a command of the shell set it "
                "to the folder of the credentials"
            )
        return _read(Path(folder) / self.name, f"systemd's credential {self.name}")

    def __str__(self) -> str:
        return f"{self.scheme}:{self.name}"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Validate from text; serialise as the reference."""
        return core_schema.with_info_plain_validator_function(
            _validate, serialization=core_schema.to_string_ser_schema()
        )


def vault_key(reference: SecretRef, environment: Mapping[str, str] = os.environ) -> KeyKey:
    """A vault's key; raises :class:`SecretError`, also where others may read its file."""
    if readable_for_others(reference):
        raise SecretError(
            f"others may read the vault's key {reference.name}: run chmod 600 {reference.name}, "
            "and think who may have read it ('tenone secret rotate-key' makes another one)"
        )
    try:
        return KeyKey.parse(reference.fetch(environment).use())
    except EnvelopeError as error:
        raise SecretError(f"the vault's key ({reference}) is none: {error}") from None


def readable_for_others(reference: SecretRef) -> bool:
    """Whether group or others may read the file of a ``file:`` reference."""
    if reference.scheme != "file":
        return False
    try:
        return bool(Path(reference.name).stat().st_mode & 0o077)
    except OSError:
        return False  # reading it says why


def _read(path: Path, what: str) -> Secret:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        secret = data.decode("utf-8")
    except OSError as error:
        raise SecretError(
            f"{what} cannot be read ({error.strerror or error}): "
            "create it, readable for the user TenOne runs as"
        ) from error
    except UnicodeDecodeError:
        # The cause would quote the secret's bytes.
        raise SecretError(f"{what} is not UTF-8 text: write it as text") from None
    secret = secret.removesuffix("\n").removesuffix("\r")
    if not secret or len(data) > MAX_BYTES:
        size = "empty" if not secret else f"larger than {MAX_BYTES} bytes"
        raise SecretError(f"{what} is {size}: put one secret into it")
    return Secret(secret)


def _validate(value: object, info: core_schema.ValidationInfo[Any]) -> SecretRef:
    if isinstance(value, SecretRef):
        return value
    context = info.context
    vault = context.get("vault") if isinstance(context, dict) else None
    text = value if isinstance(value, str) else ""
    try:
        return SecretRef.parse(text, base_directory(info), vault)
    except ValueError as error:
        raise refusal(str(error), REMEDY) from None
