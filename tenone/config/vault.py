"""``vault``: the file that keeps sealed secrets, and where its key is. In both kinds of file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator

from tenone.config.base import ConfigModel
from tenone.config.quantities import LocalPath
from tenone.config.refusal import refusal
from tenone.config.secret import SecretRef, VaultPlace


def _outside(key: SecretRef) -> SecretRef:
    if key.scheme == "vault":
        raise refusal(
            "a vault cannot hold its own key",
            "write 'credential:NAME' (systemd), 'file:PATH' or 'env:NAME'",
        )
    return key


KeyRef = Annotated[SecretRef, AfterValidator(_outside)]


class VaultConfig(ConfigModel):
    """Where ``vault:NAME`` looks."""

    path: LocalPath
    key: KeyRef
    """The key-encryption key. On another disk than the vault, or it seals nothing."""
    suite: Literal["aes-256-gcm", "sm4-gcm"] = "aes-256-gcm"
    """What a new vault is sealed by; an old one stays what it is."""


_NOWHERE = VaultPlace(Path(), SecretRef("env", "NONE"))
"""For a file that is refused anyway: its references are not blamed for its group."""


def vault_place(group: object, base: Path) -> VaultPlace | None:
    """The vault a file names in its group ``vault``, before the file is checked.

    None where there is none. What is wrong with the group is said by :class:`VaultConfig`.
    """
    if group is None:
        return None
    path, key = (group.get("path"), group.get("key")) if isinstance(group, Mapping) else ("", "")
    if not isinstance(path, str) or not isinstance(key, str) or not path:
        return _NOWHERE
    try:
        return VaultPlace(base / Path(path).expanduser(), SecretRef.parse(key, base))
    except ValueError:
        return _NOWHERE
