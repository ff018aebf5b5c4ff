"""What lets the demo repair, without the demo."""

from pathlib import Path

from agents.approvals import KEYS_FILE
from agents.sessions import HOST_KEYS
from controller.trust.approval_signer import ApprovalSigner
from drivers.cli.hostkeys import HostKeyStore
from firmware_sims import city
from firmware_sims.switch.console.keys import SimKey
from tenone.cli.demo_repairs import console_of, enrol


def test_a_switch_without_a_console_has_none() -> None:
    assert console_of({"name": "x"}) is None


def test_a_school_gets_keys_and_pins(tmp_path: Path) -> None:
    trust, outbox = tmp_path / "trust", tmp_path / "outbox"
    keys = ApprovalSigner(trust, city.CITY_ID).keys
    school = city.plan(schools=1).schools[0]
    pinned = SimKey("0/x")
    served = {}
    for number, switch in enumerate(school.switches):
        console = {
            "host": "127.0.0.1", "port": 2000 + number, "dialect": "zte", "user": "tenone",
            "host_key": pinned.known_hosts("127.0.0.1", 2000 + number),
        }  # fmt: skip
        served[switch.name] = city.Served(
            host="127.0.0.1", port=1, ports=(), console=console_of({"console": console})
        )
    enrol(school, served, trust, outbox)
    assert (outbox / KEYS_FILE).read_text() == keys.text
    store = HostKeyStore(outbox / HOST_KEYS)
    for number, _ in enumerate(school.switches):
        assert store.pinned("127.0.0.1", 2000 + number).kind == "ssh-ed25519"
