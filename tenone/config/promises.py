"""``tiers:`` of a profile: what a tier was promised, what it is judged by, and from where on."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from tenone.config.base import ConfigModel
from tenone.config.quantities import Mbps, Seconds
from tenone.config.refusal import refusal

ClauseName: TypeAlias = Literal["link", "loss", "jitter", "rtt", "dns", "board"]
Share: TypeAlias = Annotated[float, Field(gt=0, lt=1)]


class Objectives(ConfigModel):
    """What a link of the tier is judged by."""

    clauses: tuple[ClauseName, ...] | None = None
    """Unsaid: ``link``, and of the others those that a school's ``probes`` measure for the link.
    A clause that is listed and not measured leaves every minute unknown."""

    @model_validator(mode="after")
    def _some(self) -> "Objectives":
        if self.clauses is None:
            return self
        if not self.clauses:
            raise refusal("the list is empty", "add at least one entry, such as link")
        if len(set(self.clauses)) != len(self.clauses):
            raise refusal("a clause stands twice", "list each one once")
        return self


class Thresholds(ConfigModel):
    """Up to where a link of the tier is good (SLA.md, definition 12, and its defaults)."""

    loss_ratio: Share = 0.005
    jitter_seconds: Seconds = 0.02
    """P95 of the difference between one delay and the next."""
    rtt_seconds: Seconds = 0.02
    """Median round trip to the school's core."""
    error_ratio: Share = 0.001
    """Of at least 10,000 frames."""
    discard_ratio: Share = 0.01
    utilisation_ratio: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Mean over five minutes."""


class TierContract(ConfigModel):
    """What one tier was promised."""

    contract_mbps: Mbps
    objectives: Objectives = Objectives()
    thresholds: Thresholds = Thresholds()
