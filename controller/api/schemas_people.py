"""What the API says of accounts."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from controller.api.schemas import GrantOut


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AccountOut(_Closed):
    """One account; times are epoch seconds."""

    name: str
    display: str
    state: Literal["enabled", "disabled", "locked", "new"]
    grants: list[GrantOut]
    second_factor: bool
    provider: str
    created_at: float
    signed_in_at: float | None


class AccountPage(_Closed):
    """A page of accounts."""

    items: list[AccountOut]
    total: int
    next_cursor: str | None


class MadeOut(AccountOut):
    """A new account and the code by which its holder enters, once."""

    one_time_code: str


class ResetOut(_Closed):
    """The code by which the holder enters, once."""

    one_time_code: str


class PendingOut(_Closed):
    """A second factor to be scanned or typed into an authenticator."""

    secret: str
    address: str
    picture: str
    """SVG."""
    until: float


class CodesOut(_Closed):
    """Recovery codes, shown this once; empty where nothing was made."""

    recovery_codes: list[str]
