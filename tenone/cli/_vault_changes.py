"""What commands that change a vault tell others: the city's ledger, before and after.

A school's gateway has no ledger; its agent keeps how new its vault was beside the journal. A city
that has never run has no ledger yet.
"""

from pathlib import Path

from tenone.config import ConfigError, SecretError, load_city, load_school
from tenone.config.document import read_document
from tenone.journal.disk import OsDisk
from tenone.trust.vault import Vault
from tenone.trust.vault_mark import Mark, read_mark, set_back


def tell(config: Path, act: str, subject: str = "") -> None:
    """Before a change of the city's vault; raises SecretError, and then nothing is changed."""
    if not _has_ledger(config):
        return
    # The city's rooms; a gateway does not load them.
    from controller.trust.entries import LedgerError  # noqa: PLC0415 - see above
    from tenone.cli._ledger import ledgered  # noqa: PLC0415 - see above

    try:
        ledgered(load_city(config), act, subject=subject)
    except LedgerError as error:
        raise SecretError(f"nothing is changed: {error}") from error


def seen(config: Path, vault: Vault) -> None:
    """After a change. Where this cannot be written, the controller does it when it looks next."""
    if not _has_ledger(config):
        return
    from controller.trust.entries import LedgerError  # noqa: PLC0415 - see above
    from controller.trust.vault_marks import SEEN  # noqa: PLC0415 - see above
    from tenone.cli._ledger import ledgered  # noqa: PLC0415 - see above

    mark = Mark.of(vault)
    try:
        detail = {"generation": mark.generation}
        ledgered(load_city(config), SEEN, subject=mark.vault, detail=detail)
    except LedgerError as error:
        raise SecretError(f"it is done, and the ledger was not told: {error}") from error


def known(config: Path, vault: Vault) -> Mark | None:
    """The newest state of this vault that was seen; raises SecretError."""
    if not _is_city(config):
        try:
            return read_mark(load_school(config).outbox.path, OsDisk())
        except (ConfigError, OSError):
            return None  # nothing has run by this file, or it is somebody else's to read
    if not _has_ledger(config):
        return None
    from controller.trust.entries import LedgerError  # noqa: PLC0415 - see above
    from controller.trust.vault_marks import known_mark  # noqa: PLC0415 - see above
    from tenone.cli._ledger import folder_of  # noqa: PLC0415 - see above

    try:
        found = known_mark(folder_of(load_city(config)), vault.id)
    except LedgerError as error:
        raise SecretError(str(error)) from error
    return None if found is None else found[0]


def refuse_set_back(config: Path, vault: Vault) -> None:
    """Raise SecretError where the vault is older than it was once seen: nothing is built on it."""
    behind = set_back(vault, known(config, vault))
    if behind:
        raise SecretError(behind)


def _is_city(config: Path) -> bool:
    return "city" in read_document(config).values


def _has_ledger(config: Path) -> bool:
    if not _is_city(config):
        return False
    from tenone.cli._ledger import folder_of  # noqa: PLC0415 - the city's rooms

    return folder_of(load_city(config)).exists()
