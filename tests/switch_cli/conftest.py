"""A scripted switch and how to log in to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.cli.console import ConsoleLogin
from drivers.cli.hostkeys import HostKeyStore
from tenone.trust.masked import Secret
from tenone.vocabulary.intents import Dialect
from tests.switch_cli.scripted import PASSWORD, ScriptedSwitch


@pytest.fixture
def scripted() -> Iterator[ScriptedSwitch]:
    switch = ScriptedSwitch()
    switch.start()
    yield switch
    switch.stop()


@pytest.fixture
def host_keys(scripted: ScriptedSwitch, tmp_path: Path) -> HostKeyStore:
    store = HostKeyStore(tmp_path / "known_hosts")
    store.pin("127.0.0.1", scripted.port, scripted.host_key, scripted.host_key.fingerprint)
    return store


@pytest.fixture
def console_login(scripted: ScriptedSwitch, host_keys: HostKeyStore) -> ConsoleLogin:
    return ConsoleLogin(
        host="127.0.0.1", port=scripted.port, dialect=Dialect.HUAWEI_VRP5,
        username="tenone", password=Secret(PASSWORD), host_keys=host_keys.path,
    )  # fmt: skip
