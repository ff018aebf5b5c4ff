"""The product around the lab, as real processes: broker, controller, agent; and two people.

Mosquitto and TenOne run as they would; the switch's command line is Debian's sshd.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from agents.approvals import KEYS_FILE
from controller.trust.approval_signer import ApprovalSigner
from tenone.cli.processes import free_port
from tests.agents.test_used_approvals import opened_long_ago
from tests.lab.daemons import ADMIN, COMMUNITY, PASSWORD, ROOT
from tests.lab.switch import UPLINK, SwitchLab, until

CITY, DISTRICT, SCHOOL, SWITCH = "binhai", "east", "no1", "sw1"
SCOPE = f"{CITY}/{DISTRICT}/{SCHOOL}"
PEOPLE = {"li": f"operator@{CITY}", "wang": f"approver@{CITY}"}
"""Who asks, and who approves."""
PEOPLES_PASSWORD = "correct horse battery"
STATE_SECONDS = 1.0
READY_SECONDS = 60.0
SECRETS = {"LAB_COMMUNITY": COMMUNITY, "LAB_PASSWORD": PASSWORD}
ALL_AUTO = dict.fromkeys(
    ("restore-negotiation", "bounce-port", "enable-port", "cable-diagnosis"), "auto"
)


@dataclass
class Process:
    """One program of the house, its words in files."""

    name: str
    command: list[str]
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    running: subprocess.Popen[bytes] | None = None

    @property
    def out(self) -> Path:
        return self.folder / f"{self.name}.out"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        with self.out.open("wb") as out, self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                env={**os.environ, **self.env}, cwd=ROOT,
            )  # fmt: skip

    def ready(self) -> dict[str, Any]:
        """Its first JSON line."""
        until(lambda: b"\n" in self.out.read_bytes() or self.ended, self.name, READY_SECONDS)
        assert not self.ended, f"{self.name} ended: {self.log.read_text()[-3000:]}"
        said: dict[str, Any] = json.loads(self.out.read_text().splitlines()[0])
        return said

    @property
    def ended(self) -> bool:
        return self.running is None or self.running.poll() is not None

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.running is None:
            return
        self.running.send_signal(number)
        try:
            self.running.wait(15)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait()
        self.running = None


class House:
    """All of it around one lab. ``modes``: intent -> mode; ``hold_seconds`` is the proof's."""

    def __init__(
        self, lab: SwitchLab, folder: Path, *, modes: Mapping[str, str] = ALL_AUTO,
        hold_seconds: float = 1.2, settle_seconds: float = 0.5,
    ) -> None:  # fmt: skip
        self.lab = lab
        self.folder = folder
        self.hold_seconds = hold_seconds
        self.settle_seconds = settle_seconds
        self.modes = modes
        self.link_of = {port: f"{SCHOOL}/class-{port}" for port in lab.ports}
        self._broker_port = free_port()
        self.people: dict[str, httpx.Client] = {}

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop everything."""
        for client in self.people.values():
            client.close()
        for name in ("agent", "controller", "broker"):
            process: Process | None = getattr(self, name, None)
            if process is not None:
                process.stop()

    def _start(self) -> None:
        self._configure()
        conf = self.folder / "mosquitto.conf"
        conf.write_text(
            f"listener {self._broker_port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        )
        mosquitto = ["mosquitto", "-c", str(conf)]
        self.broker = Process("broker", mosquitto, self.folder)
        self.broker.start()
        codes = {name: self._account(name, grant) for name, grant in PEOPLE.items()}
        tenone = [sys.executable, "-m"]
        city, school = str(self.folder / "city.yaml"), str(self.folder / "school.yaml")
        self.controller = Process(
            "controller", [*tenone, "tenone.cli", "controller", "-c", city, "--ready-json"],
            self.folder, SECRETS,
        )  # fmt: skip
        self.controller.start()
        # --demo: a machine without NTP does not call its clock set, and city and agent share it.
        self.agent = Process(
            "agent", [*tenone, "tenone.cli", "agent", "-c", school, "--ready-json", "--demo"],
            self.folder, SECRETS,
        )  # fmt: skip
        self.controller.ready()
        self.people = {name: self._signed_in(name, code) for name, code in codes.items()}
        self._pin()
        self.agent.start()
        self.agent.ready()

    def _pin(self) -> None:
        """What enrolment and a walk to the switch's console would have brought."""
        outbox = self.folder / "outbox"
        outbox.mkdir(exist_ok=True)
        keys = ApprovalSigner(self.folder / "store" / "trust", CITY).keys
        (outbox / KEYS_FILE).write_text(keys.text)
        opened_long_ago(outbox)
        self._run("hostkey", "pin", SWITCH, self.lab.host_key().fingerprint, "-c", "school.yaml")

    def _configure(self) -> None:
        links: list[dict[str, object]] = [
            {
                "id": f"class-{port}",
                "tier": "class",
                "switch": SWITCH,
                "port": port,
                "room": f"r{port[1:]}",
            }
            for port in self.lab.ports
        ]
        links.append({"id": "uplink", "tier": "uplink", "switch": SWITCH, "port": UPLINK})
        cli = {
            "dialect": "linux", "username": ADMIN, "password": "env:LAB_PASSWORD",
            "automatic": [intent for intent, mode in self.modes.items() if mode == "auto"],
        }  # fmt: skip
        school = {
            "schema_version": 1,
            "school": {"id": SCHOOL, "name": "No. 1", "district": DISTRICT, "city": CITY},
            "uplink": {"broker": {"host": "127.0.0.1", "port": self._broker_port}},
            "switches": [
                {"name": SWITCH, "host": self.lab.address, "port": 161,
                 "snmp": {"community": "env:LAB_COMMUNITY"}, "cli": cli}
            ],
            "links": links,
            "local_broker": {"embedded": True, "port": free_port()},
            "polling": {"state_seconds": STATE_SECONDS, "counters_seconds": 10.0,
                        "timeout_seconds": 0.5, "retries": 1},
            "outbox": {"path": str(self.folder / "outbox"), "limit_mb": 64},
        }  # fmt: skip
        self._write("school.yaml", school)
        modes = [{"actions": [intent], "mode": mode} for intent, mode in self.modes.items()]
        city = {
            "schema_version": 1,
            "city": {"id": CITY, "name": "Binhai"},
            "districts": [{"id": DISTRICT, "name": "East"}],
            "schools": [str(self.folder / "school.yaml")],
            "broker": {"host": "127.0.0.1", "port": self._broker_port},
            "store": {"path": str(self.folder / "store")},
            "records": {"url": f"sqlite:///{self.folder / 'records.db'}"},
            "http": {"port": free_port(), "tls": "off"},
            "auth": {"second_factor": []},
            "enforcement": {
                "modes": modes,
                "settle_seconds": self.settle_seconds,
                "hold_seconds": self.hold_seconds,
                "caps": {"changes_a_day": 10_000, "failures_a_day": 10_000},
            },
        }
        self.url = f"http://127.0.0.1:{city['http']['port']}"  # type: ignore[index]  # a mapping of ours
        self._write("city.yaml", city)

    def _write(self, name: str, body: object) -> None:
        (self.folder / name).write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")

    def _account(self, name: str, grant: str) -> str:
        """Made on the server, as an operator would; its one-time code."""
        return self._run("user", "add", name, "-c", "city.yaml", "--grant", grant).split()[-1]

    def _run(self, *arguments: str) -> str:
        """A command of the product; what it said."""
        said = subprocess.run(
            [sys.executable, "-m", "tenone.cli", *arguments],
            capture_output=True, text=True, check=False, cwd=self.folder,
            env={**os.environ, **SECRETS, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert said.returncode == 0, f"tenone {' '.join(arguments)}: {said.stderr}{said.stdout}"
        return said.stdout

    def _signed_in(self, name: str, code: str) -> httpx.Client:
        client = httpx.Client(base_url=self.url, timeout=20, headers={"origin": self.url})
        for method, path, body in (
            ("POST", "/api/v1/sessions", {"name": name, "code": code}),
            ("POST", "/api/v1/users/current/enrol", {"password": PEOPLES_PASSWORD}),
            ("POST", "/api/v1/sessions", {"name": name, "password": PEOPLES_PASSWORD}),
        ):
            answer = client.request(method, path, json=body)
            assert answer.is_success, f"{path}: {answer.text}"
        return client

    # -- what people see

    def get(self, path: str, **query: str) -> Any:
        """By the API, as the one who asks."""
        answer = self.people["li"].get(f"/api/v1/{path}", params=query)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def link(self, port: str) -> dict[str, Any]:
        """The promise on a port."""
        found: dict[str, Any] = self.get(f"links/{self.link_of[port]}")
        return found

    def actions(self) -> list[dict[str, Any]]:
        """All."""
        found: list[dict[str, Any]] = self.get("actions", limit="500")["items"]
        return found

    def actions_at(self, port: str) -> list[str]:
        """Ids of those at one port, oldest first."""
        mine = [one for one in self.actions() if one["parameters"].get("port") == port]
        return [one["id"] for one in sorted(mine, key=lambda one: float(one["made"]))]

    def course(self, action: str) -> dict[str, Any]:
        """How one went."""
        found: dict[str, Any] = self.get(f"actions/{action}/course")
        return found

    def last_step(self, action: str) -> str:
        """Where one stands; empty: not begun."""
        steps = self.course(action)["steps"]
        return str(steps[-1]["step"]) if steps else ""

    def approved(self, intent: str, port: str) -> str:
        """Li asks for it, Wang approves what he is shown; the action's id."""
        asked = {
            "school": SCHOOL, "intent": intent, "parameters": {"switch": SWITCH, "port": port},
            "reason": "the class has no network", "retry": f"lab-{intent}-{port}",
        }  # fmt: skip
        answer = self.people["li"].post("/api/v1/actions", json=asked)
        assert answer.status_code == 201, answer.text
        action = answer.json()
        answer = self.people["wang"].post(
            f"/api/v1/actions/{action['id']}/approvals", json={"plan": action["plan"]}
        )
        assert answer.status_code == 200, answer.text
        return str(action["id"])

    def until_all_good(self, seconds: float = 30.0) -> None:
        """Every promise of the school is kept, as the controller sees it."""

        def good() -> bool:
            links = self.get("links", scope=SCOPE, limit="200")["items"]
            return all(one["verdict"] == "good" for one in links if one["tier"] == "class")

        until(good, "good verdicts of all class links", seconds)
