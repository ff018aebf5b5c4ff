"""``tenone enrol`` at the school and at the city, on files; over the network in the slow test."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from typer.testing import CliRunner

from agents.identity import IDENTITY_FILE, read_identity
from controller.trust.ca import pem
from tenone.cli.main import build
from tenone.trust.enrolment import Token, key_pem, new_key, spki_hash
from tenone.trust.files import write_whole
from tests.trust.city import empty_records
from tests.trust.test_authorities import intermediate

APP = build(["enrol"])
SCHOOL: dict[str, Any] = {
    "schema_version": 1,
    "school": {"id": "no3", "name": "No. 3", "district": "east", "city": "binhai"},
    "uplink": {
        "broker": {"host": "127.0.0.1"},
        "identity": "identity",
        "controller": "http://127.0.0.1:9",
    },
    "devices": [{"id": "board/b-0301"}],
}
CITY: dict[str, Any] = {
    "schema_version": 1,
    "city": {"id": "binhai", "name": "Binhai"},
    "districts": [{"id": "east", "name": "East"}],
    "schools": ["school.yaml"],
    "broker": {"host": "127.0.0.1"},
}
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command in a city's folder; what it says, or its sentence where it must fail."""
    (tmp_path / "school.yaml").write_text(yaml.safe_dump(SCHOOL))
    (tmp_path / "city.yaml").write_text(yaml.safe_dump(CITY))
    (tmp_path / "records.db").write_bytes(empty_records().read_bytes())

    def go(*words: str, code: int = 0, of: str = "city") -> str:
        done = CliRunner().invoke(APP, ["enrol", *words, "-c", str(tmp_path / f"{of}.yaml")])
        assert done.exit_code == code, done.output
        return done.output

    return go


def token(run: Run, name: str = "no3") -> str:
    return run("token", name).strip().splitlines()[-1]


def test_a_school_is_enrolled_by_files_alone(run: Run, tmp_path: Path) -> None:
    text = token(run)
    request, answer = tmp_path / "request.json", tmp_path / "answer.json"
    said = run("--csr-out", str(request), "--token", text, of="school")
    assert "the key has not left this machine" in said
    assert request.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in request.read_text()
    run("sign", str(request), "--out", str(answer))
    assert "PRIVATE" not in answer.read_text()
    said = run("--certificate-in", str(answer), of="school")
    assert "agent:no3 of binhai is enrolled until" in said
    identity = read_identity(tmp_path / "identity")
    assert (identity.folder / IDENTITY_FILE).stat().st_mode & 0o777 == 0o600
    assert "used" in run("sign", str(request), "--out", str(answer), code=1)
    listed = json.loads(run("list", "--json"))
    assert (listed["machine"], listed["state"]) == ("agent:no3", "active")
    assert listed["serial"] == f"{identity.certificate.serial_number:x}"
    assert "1 certificates are revoked" in run("revoke", "no3", "--why", "stolen")
    assert "stolen" in run("list")
    assert "there is no machine agent:no9" in run("revoke", "no9", "--why", "x", code=1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("token", "NO3"), "no name of a machine"),
        (("token", "no9"), "is not in"),
        (("token", "server:web"), "tenone enrol server"),
        (("token", "agent:no3/../x"), "no name of a machine"),
        (("server", "web", "--out", "web"), "at least one host name"),
        (("server", "web", "--out", "web", "--dns", "*.x"), "neither a host name"),
        (("server", "we b", "--out", "web", "--dns", "x"), "no name of a machine"),
        (("sign", "city.yaml", "--out", "x"), "cannot be read"),
        (("ca", "switch", "0" * 16), "there is no authority"),
        (("manifest", "import", "none"), "cannot be read"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    run: Run, words: tuple[str, ...], sentence: str
) -> None:
    assert sentence in " ".join(run(*words, code=1).split())


def test_an_authority_made_elsewhere(run: Run, tmp_path: Path) -> None:
    top, own = intermediate()
    (tmp_path / "chain.pem").write_bytes(pem(own.certificate, top.certificate))
    write_whole(tmp_path / "key.pem", key_pem(own.signing_key))
    files = (str(tmp_path / "chain.pem"), str(tmp_path / "key.pem"))
    assert f"{own.id} is trusted" in run("ca", "import", *files)
    run("ca", "switch", own.id)
    assert f"{own.id} issues" in run("ca", "status")
    assert "must be a reference" in run("ca", "import", *files, "--passphrase", "x", code=1)


def test_at_the_school_too(run: Run, tmp_path: Path) -> None:
    assert "copy it whole" in run(of="school", code=1)
    good = Token.new(b"\1" * 32).text
    assert "cannot be reached" in run("--token", good, of="school", code=1)
    far = ("--controller", "http://city.example")
    assert "plain HTTP" in run("--token", good, *far, of="school", code=1)
    (tmp_path / "x.json").write_text("[]")
    assert "no answer" in run("--certificate-in", str(tmp_path / "x.json"), of="school", code=1)
    no_identity = {**SCHOOL, "uplink": {"broker": {"host": "127.0.0.1"}}}
    (tmp_path / "bare.yaml").write_text(yaml.safe_dump(no_identity))
    assert "add 'identity: identity'" in " ".join(run("--token", good, of="bare", code=1).split())
    run(of="nothing", code=2)


def test_a_server_has_its_certificate_until_it_is_due(run: Run, tmp_path: Path) -> None:
    words = ("server", "broker", "--ip", "10.0.0.1", "--dns", "mqtt.example", "--out")
    out = tmp_path / "broker"
    assert "made, until" in run(*words, str(out))
    assert "still good" in run(*words, str(out))
    own = x509.load_pem_x509_certificate((out / "certificate.pem").read_bytes())
    assert 89 < (own.not_valid_after_utc.timestamp() - time.time()) / 86_400 < 91
    assert (out / "key.pem").stat().st_mode & 0o777 == 0o600
    assert "server:broker" in run("list")


def test_a_manifest_from_the_maker_to_the_records(run: Run, tmp_path: Path) -> None:
    devices, signed = tmp_path / "maker.json", tmp_path / "manifest.json"
    key = spki_hash(new_key().public_key()).hex()
    rows = [{"serial": "b-0301", "kind": "board", "key_sha256": key}]
    devices.write_text(json.dumps(rows))
    assert "1 devices" in run("manifest", "sign", str(devices), "--out", str(signed))
    assert "device:no3/board/b-0301" in signed.read_text()
    assert "1 of 1 keys are new" in run("manifest", "import", str(signed))
    assert "0 of 1 keys are new" in run("manifest", "import", str(signed))
    signed.write_text(signed.read_text().replace(key, "0" * 64))
    assert "it was changed" in run("manifest", "import", str(signed), code=1)


def test_a_new_authority_waits_for_machines_to_hear_of_it(run: Run, tmp_path: Path) -> None:
    request, answer = tmp_path / "request.json", tmp_path / "answer.json"

    def enrol() -> None:
        run("--csr-out", str(request), "--token", token(run), of="school")
        run("sign", str(request), "--out", str(answer))
        run("--certificate-in", str(answer), of="school")

    enrol()
    old = run("ca", "status").split()[0]
    fresh = run("ca", "new").split()[0]
    assert "still hold certificates" in run("ca", "retire", old, code=1)
    status = run("ca", "status")
    assert f"{fresh} is trusted" in status
    assert "1 machines have not heard of it agent:no3" in " ".join(status.split())
    assert "would refuse its servers" in " ".join(run("ca", "switch", fresh, code=1).split())
    assert "issues from now on" in run("ca", "switch", fresh, "--force")
    assert "still hold certificates" in run("ca", "retire", old, code=1)
    enrol()
    assert "trusted no longer" in run("ca", "retire", old)
    assert run("ca", "status").split()[:2] == [fresh, "issues,"]


def test_a_folder_with_another_school_s_identity_is_not_written_over(
    run: Run, tmp_path: Path
) -> None:
    request, answer = tmp_path / "request.json", tmp_path / "answer.json"
    run("--csr-out", str(request), "--token", token(run), of="school")
    run("sign", str(request), "--out", str(answer))
    run("--certificate-in", str(answer), of="school")
    before = (tmp_path / "identity" / IDENTITY_FILE).read_bytes()
    other = SCHOOL | {"school": SCHOOL["school"] | {"id": "no4"}}
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(other))
    said = run("--csr-out", str(request), "--token", Token.new(b"x" * 32).text, of="other", code=1)
    assert "holds the identity of agent:no3 in binhai" in said
    assert "uplink.identity" in said
    assert (tmp_path / "identity" / IDENTITY_FILE).read_bytes() == before
