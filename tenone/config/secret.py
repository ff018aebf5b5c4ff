"""Secrets by reference: ``env:NAME`` or ``file:PATH``, never inline.

A reference may be printed and logged; the secret itself exists only in what
:meth:`SecretRef.reveal` returns and is never kept, compared or formatted here.
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

MAX_BYTES = 65_536
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
REMEDY = "write 'env:NAME' for an environment variable or 'file:PATH' for a file"


class SecretError(Exception):
    """A secret that cannot be had; the message names the reference, never the secret."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is kept."""

    scheme: str
    """``env`` or ``file``."""
    name: str
    """The variable's name or the file's absolute path."""

    @classmethod
    def parse(cls, text: str, base: Path) -> "SecretRef":
        """Read ``env:NAME`` or ``file:PATH`` (relative to ``base``); raises ValueError.

        The message never repeats ``text``: it may be the secret itself.
        """
        scheme, separator, name = text.partition(":")
        if separator and scheme == "env" and _ENVIRONMENT_NAME.fullmatch(name):
            return cls("env", name)
        if separator and scheme == "file" and name and "\0" not in name:
            return cls("file", str(base / Path(name).expanduser()))
        raise ValueError("a secret must be a reference, never the secret itself")

    def reveal(self, environment: Mapping[str, str] = os.environ) -> str:
        """Fetch the secret; raises :class:`SecretError`.

        One newline at the end of a file is not part of the secret.
        """
        if self.scheme == "env":
            secret = environment.get(self.name, "")
            if not secret:
                raise SecretError(
                    f"the environment variable {self.name} is not set or empty: "
                    "set it to the secret before starting"
                )
            return secret
        return self._read_file()

    def _read_file(self) -> str:
        try:
            with Path(self.name).open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
            secret = data.decode("utf-8")
        except OSError as error:
            raise SecretError(
                f"the secret's file {self.name} cannot be read ({error.strerror or error}): "
                "create it, readable for the user TenOne runs as"
            ) from error
        except UnicodeDecodeError:
            # The cause would quote the secret's bytes.
            raise SecretError(
                f"the secret's file {self.name} is not UTF-8 text: write it as text"
            ) from None
        secret = secret.removesuffix("\n").removesuffix("\r")
        if not secret or len(data) > MAX_BYTES:
            size = "empty" if not secret else f"larger than {MAX_BYTES} bytes"
            raise SecretError(f"the secret's file {self.name} is {size}: put one secret into it")
        return secret

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


def _validate(value: object, info: core_schema.ValidationInfo[Any]) -> SecretRef:
    if isinstance(value, SecretRef):
        return value
    try:
        return SecretRef.parse(value if isinstance(value, str) else "", base_directory(info))
    except ValueError as error:
        raise refusal(str(error), REMEDY) from None
