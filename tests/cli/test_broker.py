"""``tenone broker``: a Mosquitto starts with its files; passwords are printed once."""

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tenone.cli.main import build

CITY = {
    "schema_version": 1,
    "city": {"id": "binhai", "name": "Binhai"},
    "districts": [{"id": "east", "name": "East"}],
    "schools": "schools",
    "broker": {"host": "127.0.0.1", "port": 2884, "username": "tenone.host",
               "password": "file:host"},
    "trust": {"broker": {"port": 2884, "password": "file:keeper"}},
}  # fmt: skip
SCHOOL = {
    "schema_version": 1,
    "school": {"id": "no1", "name": "No 1", "district": "east", "city": "binhai"},
    "uplink": {"broker": {"host": "127.0.0.1"}},
    "devices": [{"id": "board/b1"}, {"id": "board/b2"}],
    "local_broker": {
        "host": "127.0.0.1", "port": 2883, "username": "tenone.agent", "password": "file:host",
        "devices": {"port": 2883, "password": "file:keeper"},
    },
}  # fmt: skip
TLS = ["--ca", "/pki/ca.pem", "--certificate", "/pki/server.pem", "--key", "/pki/server.key"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "schools").mkdir()
    (tmp_path / "city.yaml").write_text(yaml.safe_dump(CITY))
    (tmp_path / "schools" / "no1.yaml").write_text(yaml.safe_dump(SCHOOL))
    for place in (tmp_path, tmp_path / "schools"):
        (place / "host").write_text("the-host-canary")
        (place / "keeper").write_text("the-keeper-canary")
    return tmp_path


def run(*words: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(build(["broker"]), ["broker", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("config", "accounts", "certificates"),
    [
        ("city.yaml", {"no1", "tenone.host", "tenone.keeper"}, True),
        ("schools/no1.yaml", {"board.b1", "board.b2", "tenone.agent", "tenone.keeper"}, False),
    ],
)
def test_the_files_a_broker_starts_with(
    folder: Path, config: str, accounts: set[str], certificates: bool
) -> None:
    code, _, error = run("config", "-c", folder / config, "--folder", folder / "out", *TLS)
    assert code == 0, error
    conf = (folder / "out" / "mosquitto.conf").read_text()
    assert ("use_username_as_clientid true" in conf) is certificates
    for line in ("allow_anonymous false", "per_listener_settings false", "set_tcp_nodelay true"):
        assert line in conf.splitlines()
    first = folder / "out" / "dynamic-security.first.json"
    assert f"{first} /var/lib/mosquitto/dynamic-sec" in (folder / "out" / "tenone.conf").read_text()
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    document = json.loads(first.read_text())
    assert {one["username"] for one in document["clients"]} == accounts
    assert "canary" not in first.read_text() + conf
    assert document["defaultACLAccess"]["publishClientSend"] is False
    told = {one["username"]: one for one in document["clients"]}
    for name in accounts - {"tenone.host", "tenone.agent", "tenone.keeper"}:
        assert told[name]["disabled"], "nobody is let in before enrolment or a password"
        assert told[name]["roles"] == []


def test_the_units_are_what_systemd_takes(folder: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: sudo apt-get install systemd")
    crl = folder / "crl.pem"
    out = folder / "out"
    code, told, error = run(
        "config", "-c", folder / "city.yaml", "--folder", out, *TLS, "--crl", crl
    )
    assert code == 0, error
    assert "tenone-crl.path" in told
    assert f"PathChanged={crl}" in (out / "tenone-crl.path").read_text()
    for unit in ("tenone-crl.path", "tenone-crl.service", "tenone.conf"):
        # With a limit, six lists within ten seconds would be the last ones that are read.
        assert "StartLimitIntervalSec=0" in (out / unit).read_text()
    assert "CAP_KILL" in (out / "tenone.conf").read_text(), (
        "root's reload signals another's process"
    )
    (out / "tenone.conf").rename(out / "drop-in.service")
    drop_in = out / "drop-in.service"
    drop_in.write_text(drop_in.read_text() + "ExecStart=/bin/true\n")
    for unit in ("tenone-crl.path", "tenone-crl.service", "drop-in.service"):
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(out / unit)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Unknown" not in done.stderr, done.stderr
        assert done.returncode == 0, done.stderr


def test_passwords_are_printed_once(folder: Path) -> None:
    school = folder / "schools" / "no1.yaml"
    code, printed, _ = run("passwords", "-c", school)
    assert code == 0
    first = dict(line.split("\t") for line in printed.splitlines())
    assert set(first) == {"board.b1", "board.b2"}
    assert all(len(secret) == 43 for secret in first.values()), "256 bits in base64"
    assert len(set(first.values())) == 2
    assert run("passwords", "-c", school)[1] == ""
    again = dict(
        line.split("\t")
        for line in run("passwords", "-c", school, "--anew", "board.b1")[1].splitlines()
    )
    assert set(again) == {"board.b1"}
    assert again["board.b1"] != first["board.b1"]
    kept = folder / "schools" / "device-passwords.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    code, _, error = run("passwords", "-c", school, "--anew", "board.b9")
    assert (code, "no account board.b9" in error) == (1, True)


def test_what_cannot_be_done_is_one_sentence(folder: Path) -> None:
    code, _, error = run("passwords", "-c", folder / "city.yaml")
    assert (code, error.count("\n")) == (1, 1)
    assert "tenone enrol" in error
    kept = folder / "schools" / "device-passwords.json"
    kept.write_text('{"board.b1": "short"}')
    for mode, what in ((0o644, "chmod 600"), (0o600, "no file of generated passwords")):
        kept.chmod(mode)
        code, _, error = run("passwords", "-c", folder / "schools" / "no1.yaml")
        assert code == 1
        assert what in error


@pytest.mark.parametrize(
    ("where", "key", "value", "what"),
    [
        ("broker", "username", "tenone", "a school could be called 'tenone'"),
        ("broker", "username", "tenone.keeper", "the same account"),
        ("trust", "username", "keeper", "a school could be called 'keeper'"),
        ("broker", "embedded", True, "knows no"),
        ("trust", "identity", "password", "'passwords' goes with"),
        ("trust", "foreign", "kill", "keep"),
    ],
)
def test_accounts_that_would_be_dangerous(
    folder: Path, where: str, key: str, value: object, what: str
) -> None:
    city = json.loads(json.dumps(CITY))
    (city["broker"] if where == "broker" else city["trust"]["broker"])[key] = value
    (folder / "city.yaml").write_text(yaml.safe_dump(city))
    code, _, error = run("config", "-c", folder / "city.yaml", "--folder", folder / "x", *TLS)
    assert code == 2
    assert what in error
