"""Other people's SNMPv3 at either end: net-snmp's agent and tools, gufo-snmp, pysnmp."""

import asyncio
import importlib
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivers.snmp import mib
from drivers.snmp.ber import Oid, oid_text
from drivers.snmp.client import SnmpClient
from drivers.snmp.errors import (
    AgentError,
    SnmpError,
    UnknownUser,
    UnsupportedLevel,
    WrongAuthPassword,
    WrongPrivPassword,
)
from drivers.snmp.message import Version
from drivers.snmp.session import Session
from drivers.snmp.target import Target
from drivers.snmp.v3.keys import Auth, Priv
from drivers.snmp.v3.user import User
from firmware_sims.switch import fleet
from firmware_sims.switch.plan import alike
from firmware_sims.switch.server import Fleet
from firmware_sims.switch.usm import V3User
from firmware_sims.switch.vendors import Vendor
from tenone.cli.processes import free_udp_port
from tenone.runtime.clock import ManualClock

COLUMNS: tuple[Oid, ...] = (mib.IF_DESCR, mib.IF_TYPE, mib.SYS_DESCR[:-1], mib.SYS_NAME[:-1])
PAIRS: list[tuple[Auth | None, Priv | None]] = [
    (None, None),
    (Auth.SHA256, None),
    (Auth.SHA1, Priv.AES128),
    (Auth.SHA224, Priv.AES128),
    (Auth.SHA256, Priv.AES128),
    (Auth.SHA384, Priv.AES128),
    (Auth.SHA512, Priv.AES128),
    (Auth.SHA256, Priv.AES256),
    (Auth.SHA512, Priv.AES256),
    (Auth.SHA1, Priv.AES192),
    (Auth.SHA1, Priv.AES256),
    (Auth.SHA1, Priv.AES192C),
    (Auth.MD5, Priv.AES256C),
    (Auth.MD5, Priv.DES),
]
"""Those that net-snmp 5.9.3 of Debian speaks."""
LEVELS = ("noauth", "auth", "priv")
_NET_SNMP = {"sha1": "SHA", "des": "DES", "aes128": "AES"}
PATH = os.environ["PATH"] + ":/usr/sbin"
SNMPD = shutil.which("snmpd", path=PATH)
needs_snmpd = pytest.mark.skipif(SNMPD is None, reason="not installed: snmpd")


def name(auth: Auth | None, priv: Priv | None) -> str:
    return f"u-{auth.text if auth else 'none'}-{priv.text if priv else 'none'}"


def user(auth: Auth | None, priv: Priv | None, **changes: Any) -> User:
    fields = {
        "name": name(auth, priv),
        "auth": auth,
        "auth_password": "authpassword" if auth else "",
        "priv": priv,
        "priv_password": "privpassword" if priv else "",
    }
    return User(**{**fields, **changes})


def net_snmp(protocol: Auth | Priv) -> str:
    """``SHA-256``, ``AES-256-C``, ..."""
    text = protocol.text
    if text in _NET_SNMP:
        return _NET_SNMP[text]
    letters = text.rstrip("0123456789c") if text != "md5" else "MD5"
    return (
        text.upper()
        if text == "md5"
        else (
            f"{letters.upper()}-{text[3:].removesuffix('c')}" + ("-C" if text.endswith("c") else "")
        )
    )


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Debian's agent with a user for each pair; its port."""
    folder = tmp_path_factory.mktemp("snmpd")
    port = free_udp_port()
    lines = [f"agentaddress udp:127.0.0.1:{port}", f"[snmp] persistentDir {folder / 'kept'}"]
    lines.append("[snmpd]")
    for auth, priv in PAIRS:
        words = ["createUser", name(auth, priv)]
        words += [net_snmp(auth), "authpassword"] if auth else []
        words += [net_snmp(priv), "privpassword"] if priv else []
        lines.append(" ".join(words))
        lines.append(f"rouser {name(auth, priv)} {LEVELS[bool(auth) + bool(priv)]}")
    (folder / "kept").mkdir()
    (folder / "snmpd.conf").write_text("\n".join(lines) + "\n")
    assert SNMPD is not None
    process = subprocess.Popen(
        [SNMPD, "-f", "-C", "-c", str(folder / "snmpd.conf"), "-Lf", str(folder / "log")],
        env={**os.environ, "PATH": PATH, "MIBS": ""},
    )
    try:
        deadline = time.monotonic() + 20
        while "NET-SNMP version" not in _text(folder / "log"):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


@pytest.fixture
async def simulated() -> AsyncIterator[int]:
    """The port of a simulated switch with a user for each pair; its time stands still."""
    users = []
    for auth, priv in PAIRS:
        text = name(auth, priv) + (f":{auth.text}:authpassword" if auth else "")
        users.append(V3User.parse(text + (f":{priv.text}:privpassword" if priv else "")))
    (plan,) = alike(
        count=1, vendors=[Vendor.H3C], ports=24, uplinks=2, virtual=True, community="public"
    )
    setting = fleet.Setting(clock=ManualClock(), v3_users=tuple(users))
    unit = fleet.live(plan, ("127.0.0.1", 0), setting)
    assert unit.engine is not None
    unit.engine.jump(1000)
    async with Fleet([unit.endpoint]):
        yield unit.endpoint.port


async def ours(client: SnmpClient, port: int, who: User) -> dict[str, object]:
    """Our walk of ``COLUMNS``."""
    target = Target(
        host="127.0.0.1", port=port, version=Version.V3, user=who, timeout_seconds=2, retries=2
    )
    session = Session(client, await client.device(target))
    found: dict[str, object] = {}
    for root in COLUMNS:
        walk = await session.walk(root)
        if walk.error is not None:
            raise walk.error
        found.update({oid_text(bind.name): bind.value for bind in walk.varbinds})
    assert len(found) >= 4
    return found


def gufo_user(auth: Auth | None, priv: Priv | None) -> Any:
    made: Any = importlib.import_module("gufo.snmp.user")
    keys: dict[str, Any] = {}
    if auth is not None:
        keys["auth_key"] = getattr(made, f"{auth.name.title()}Key")(b"authpassword")
    if priv is not None:
        kind = priv.name.removesuffix("C").title()
        keys["priv_key"] = getattr(made, f"{kind}Key")(b"privpassword")
        if priv.text.endswith("c"):
            keys["key_expansion"] = made.KeyExpansion.Cisco
    return made.User(name(auth, priv), **keys)


async def by_gufo(port: int, auth: Auth | None, priv: Priv | None) -> dict[str, object]:
    gufo: Any = importlib.import_module("gufo.snmp.aio")
    found: dict[str, object] = {}
    async with gufo.SnmpSession(
        addr="127.0.0.1", port=port, user=gufo_user(auth, priv), timeout=3
    ) as session:
        for root in COLUMNS:
            found |= {oid: value async for oid, value in session.getbulk(oid_text(root))}
    return found


@needs_snmpd
@pytest.mark.parametrize(("auth", "priv"), PAIRS, ids=str)
async def test_gufo_and_we_read_the_same_from_snmpd(
    client: SnmpClient, snmpd: int, auth: Auth | None, priv: Priv | None
) -> None:
    assert await ours(client, snmpd, user(auth, priv)) == await by_gufo(snmpd, auth, priv)


@pytest.mark.parametrize(("auth", "priv"), PAIRS, ids=str)
async def test_gufo_and_we_read_the_same_from_a_simulated_switch(
    client: SnmpClient, simulated: int, auth: Auth | None, priv: Priv | None
) -> None:
    mine = await ours(client, simulated, user(auth, priv))
    assert mine == await by_gufo(simulated, auth, priv)
    assert len(mine) >= 54


@needs_snmpd
@pytest.mark.parametrize(
    ("who", "kind"),
    [
        (user(Auth.SHA256, Priv.AES128, name="nobody"), UnknownUser),
        (user(Auth.SHA256, Priv.AES128, auth_password="another1"), WrongAuthPassword),
        (user(Auth.SHA256, Priv.AES128, priv_password="another1"), WrongPrivPassword),
        (user(Auth.MD5, Priv.DES, priv_password="another1"), WrongPrivPassword),
        (replace(user(Auth.SHA256, Priv.AES128), auth=Auth.SHA512), WrongAuthPassword),
        (replace(user(Auth.SHA256, Priv.AES128), priv=Priv.AES256), WrongPrivPassword),
        (
            replace(user(Auth.SHA256, None), priv=Priv.AES128, priv_password="another1"),
            UnsupportedLevel,
        ),
        (replace(user(Auth.SHA256, Priv.AES128), priv=None), AgentError),
    ],
)
async def test_a_wrong_user_of_snmpd_is_told_what_is_wrong(
    client: SnmpClient, snmpd: int, who: User, kind: type[SnmpError]
) -> None:
    target = Target(host="127.0.0.1", port=snmpd, version=Version.V3, user=who, timeout_seconds=0.3)
    session = Session(client, await client.device(target))
    with pytest.raises(kind):
        await session.get([mib.SYS_NAME])


@pytest.mark.slow
@pytest.mark.parametrize(("auth", "priv"), PAIRS, ids=str)
async def test_net_snmps_own_tool_reads_a_simulated_switch(
    simulated: int, auth: Auth | None, priv: Priv | None
) -> None:
    tool = shutil.which("snmpget", path=PATH)
    if tool is None:
        pytest.skip("not installed: snmpget")
    level = ("noAuthNoPriv", "authNoPriv", "authPriv")[bool(auth) + bool(priv)]
    words = ["-v3", "-u", name(auth, priv), "-l", level, "-On"]
    words += ["-a", net_snmp(auth), "-A", "authpassword"] if auth else []
    words += ["-x", net_snmp(priv), "-X", "privpassword"] if priv else []
    process = await asyncio.create_subprocess_exec(
        tool, *words, f"127.0.0.1:{simulated}", oid_text(mib.SYS_NAME),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "MIBS": ""},
    )  # fmt: skip
    said, complaint = await process.communicate()
    assert b'STRING: "sw1"' in said, complaint


_PYSNMP_AUTH = {
    None: "usmNoAuthProtocol", Auth.MD5: "usmHMACMD5AuthProtocol",
    Auth.SHA1: "usmHMACSHAAuthProtocol", Auth.SHA224: "usmHMAC128SHA224AuthProtocol",
    Auth.SHA256: "usmHMAC192SHA256AuthProtocol", Auth.SHA384: "usmHMAC256SHA384AuthProtocol",
    Auth.SHA512: "usmHMAC384SHA512AuthProtocol",
}  # fmt: skip
_PYSNMP_PRIV = {
    None: "usmNoPrivProtocol", Priv.DES: "usmDESPrivProtocol",
    Priv.AES128: "usmAesCfb128Protocol", Priv.AES192: "usmAesBlumenthalCfb192Protocol",
    Priv.AES256: "usmAesBlumenthalCfb256Protocol", Priv.AES192C: "usmAesCfb192Protocol",
    Priv.AES256C: "usmAesCfb256Protocol",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("auth", "priv"), PAIRS, ids=str)
async def test_pysnmp_and_we_read_the_same(
    client: SnmpClient, simulated: int, auth: Auth | None, priv: Priv | None
) -> None:
    pysnmp: Any = importlib.import_module("pysnmp.hlapi.v3arch.asyncio")
    engine = pysnmp.SnmpEngine()
    keys = {
        "authKey": "authpassword" if auth else None,
        "privKey": "privpassword" if priv else None,
        "authProtocol": getattr(pysnmp, _PYSNMP_AUTH[auth]),
        "privProtocol": getattr(pysnmp, _PYSNMP_PRIV[priv]),
    }
    theirs = {}
    try:
        transport = await pysnmp.UdpTransportTarget.create(("127.0.0.1", simulated), timeout=5)
        for root in COLUMNS:
            async for error, status, _, binds in pysnmp.bulk_walk_cmd(
                engine, pysnmp.UsmUserData(name(auth, priv), **keys), transport,
                pysnmp.ContextData(), 0, 25,
                pysnmp.ObjectType(pysnmp.ObjectIdentity(oid_text(root))),
                lexicographicMode=False, lookupMib=False,
            ):  # fmt: skip
                assert not error, error
                assert not status
                theirs.update({str(oid): value for oid, value in binds})
    finally:
        engine.close_dispatcher()
    mine = await ours(client, simulated, user(auth, priv))
    assert theirs.keys() == mine.keys()
    for oid, value in mine.items():
        assert (bytes if isinstance(value, bytes) else int)(theirs[oid]) == value
