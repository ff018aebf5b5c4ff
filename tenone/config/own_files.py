"""The key in the vault that seals the files TenOne makes itself, and those files' reader.

The vault keeps it as one secret more, made when it is first needed. So ``tenone secret
rotate-key`` seals it with the vault's new key and touches no file.
"""

import logging
import time
from functools import partial

from tenone.config.secret import SecretError, VaultPlace
from tenone.config.vault import VaultConfig
from tenone.trust.envelope import EnvelopeError, KeyKey, Suite
from tenone.trust.files import KeyFileError
from tenone.trust.masked import Secret
from tenone.trust.sealed_files import SealedFiles
from tenone.trust.vault import Vault, VaultError, alone

log = logging.getLogger(__name__)

OWN = "tenone."
"""How names of secrets begin that are not for people to change."""
OWN_KEY = f"{OWN}own-files"


def own_files(vault: VaultConfig | None) -> SealedFiles:
    """Who reads and writes them, by a configuration's ``vault``. Asks nothing yet."""
    return SealedFiles() if vault is None else SealedFiles(partial(_opened, vault))


def make_own_key(place: VaultPlace) -> Vault:
    """The opened vault, in which the key is; raises VaultError, SecretError."""
    vault = place.open()
    if vault.has(OWN_KEY):
        return vault
    with alone(place.path):
        vault = place.open()  # another process may have been faster
        if not vault.has(OWN_KEY):
            vault.put(OWN_KEY, Secret(KeyKey.fresh().text), now=round(time.time()))
    return vault


def _opened(config: VaultConfig) -> tuple[Suite, KeyKey] | None:
    place = VaultPlace(config.path, config.key)
    try:
        vault = place.open()
        if not vault.has(OWN_KEY):
            try:
                vault = make_own_key(place)
            except VaultError as error:
                log.warning(
                    "%s: so TenOne's own keys stay in files of mode 0600; run 'tenone secret "
                    "seal -c FILE' as somebody who may write it",
                    error,
                )
                return None
        return vault.suite, KeyKey.parse(vault.get(OWN_KEY).use())
    except (EnvelopeError, SecretError, VaultError) as error:
        raise KeyFileError(str(error)) from error
