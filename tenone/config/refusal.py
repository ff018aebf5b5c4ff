"""How a validator says no: what is wrong and how to mend it, as two clauses."""

from pathlib import Path
from typing import Any

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError, core_schema

REFUSAL = "tenone_refusal"
"""The error type of our own refusals; its context holds ``what`` and ``remedy``."""


def refusal(what: str, remedy: str) -> PydanticCustomError:
    """An error to raise from a validator."""
    return PydanticCustomError(REFUSAL, "{what}: {remedy}", {"what": what, "remedy": remedy})


def base_directory(info: ValidationInfo[Any] | core_schema.ValidationInfo[Any]) -> Path:
    """The directory relative paths start from: that of the configuration file."""
    context = info.context
    base = context.get("base") if isinstance(context, dict) else None
    return base if isinstance(base, Path) else Path.cwd()
