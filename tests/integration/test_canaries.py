"""Abuse case 19: planted secrets of every kind, and not one of them in anything the product leaves.

A small city of real processes: controller, agent, Mosquitto with passwords, simulated switches by
v2c and v3, six command lines over SSH whose configurations are planted, an InfluxDB and a webhook
receiver. It is driven through what goes right and what goes wrong, a repair and dry runs among it;
then everything that came out, every file, and what the system shows of the processes is
searched. Only where a secret belongs is not searched: the credentials' folder (what systemd would
hand over), the simulated devices' own settings, and what the receivers received.
"""

import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pyotp
import pytest
import yaml

from agents.approvals import KEYS_FILE
from agents.sessions import HOST_KEYS
from controller.trust.approval_signer import FILE_NAME, WHAT, ApprovalSigner
from tenone.calendar.zone import CITY_ZONE, local_date
from tenone.cli.processes import free_port, free_udp_port
from tenone.config.own_files import OWN_KEY
from tenone.trust.envelope import KeyKey, Suite
from tenone.trust.masked import Secret
from tenone.trust.sealed_files import SealedFiles
from tenone.trust.vault import Vault
from tests.agents.test_used_approvals import opened_long_ago
from tests.integration.planted import Planted, forms
from tests.integration.planted_switches import (
    ENABLES,
    FORMS,
    REPLACED,
    WRONG,
    Console,
    start,
)

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin")
MOSQUITTO_PASSWD = shutil.which("mosquitto_passwd")
SWITCHES, SECURED = 10, 4
PORT = "GigabitEthernet0/0/1"
REPAIRED = "huawei-vrp5"
SECONDS = 60.0
CRASHING = '''
"""Makes the agent stumble where a community is at hand, so that a traceback is written."""
import sys


def stumble():
    from drivers.snmp.session import Session

    whole, left = Session.get, [3]

    async def get(self, names, budget=None):
        if left[0] > 0:
            left[0] -= 1
            raise RuntimeError(f"planted stumble over {self.device!r}")
        return await whole(self, names, budget)

    Session.get = get


if "agent" in sys.argv[1:2] or any(one.endswith("tenone.cli") for one in sys.orig_argv):
    if "agent" in sys.orig_argv:
        stumble()
'''


@dataclass
class Town:
    """The processes and all that came out of them."""

    folder: Path
    planted: Planted
    outputs: dict[str, bytes] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    seen: dict[str, bytes] = field(default_factory=dict)
    """What /proc shows of the product's processes."""
    repaired: list[bytes] = field(default_factory=list)
    """The courses of what was done at the switch."""

    @property
    def outside(self) -> Path:
        """Where secrets belong: of the devices, of systemd, of the receivers."""
        return self.folder / "outside"

    @property
    def product(self) -> Path:
        """All files of the product."""
        return self.folder / "product"

    def environment(self, **more: str) -> dict[str, str]:
        """What a process of the product is started with."""
        plain = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
        return plain | {"CREDENTIALS_DIRECTORY": str(self.outside / "credentials")} | more

    def start(self, name: str, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        """A process of the product, its outputs in files."""
        out = (self.folder / "out" / f"{name}.out").open("ab")
        err = (self.folder / "out" / f"{name}.err").open("ab")
        with out, err:
            process = subprocess.Popen(
                [sys.executable, "-m", "tenone.cli", *arguments],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=self.environment(**more),
            )  # fmt: skip
        self.running[name] = process
        return process

    def run(self, name: str, *arguments: str, given: str = "", **more: str) -> tuple[int, bytes]:
        """A command of the product to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "tenone.cli", *arguments],
            input=given.encode(), capture_output=True, env=self.environment(**more), check=False,
        )  # fmt: skip
        where = f"{len(self.outputs)} {name}: tenone {arguments[0]}"
        self.outputs[where] = done.stdout + done.stderr
        return done.returncode, done.stdout

    def look(self) -> None:
        """Take down what the system shows of each process: command line, environment, limits."""
        for name, process in self.running.items():
            for what in ("cmdline", "environ", "limits", "status", "stat"):
                with contextlib.suppress(OSError):
                    self.seen[f"{name}/{what}"] = Path(f"/proc/{process.pid}/{what}").read_bytes()
            tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
            for child in (one for task in tasks for one in task.read_text().split()):
                with contextlib.suppress(OSError):
                    self.seen[f"{name}/child {child}"] = (
                        Path(f"/proc/{child}/environ").read_bytes()
                        + Path(f"/proc/{child}/cmdline").read_bytes()
                    )

    def stop(self, name: str, number: int = signal.SIGTERM) -> None:
        """End one."""
        process = self.running.pop(name)
        process.send_signal(number)
        process.wait(30)

    def leaks(self) -> dict[str, set[str]]:
        """Every place that holds a canary, with the names of those it holds."""
        # What a person is shown once, on purpose, stands where it was asked for.
        hits = self.planted.search([self.product, self.folder / "out"], [])
        for name, data in {**self.outputs, **self.seen}.items():
            if names := self.planted.found_in(data):
                hits[name] = names
        return hits


class Receiver(BaseHTTPRequestHandler):
    """InfluxDB and webhook in one; refuses every third write, as a server in trouble."""

    count = 0
    tokens: set[str] = set()  # noqa: RUF012 - of this one test

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        self.rfile.read(length)
        type(self).count += 1
        self.tokens.add(self.headers.get("authorization", ""))
        self.send_response(500 if self.count % 3 == 0 else 204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def written(path: Path, value: object) -> Path:
    path.write_text(yaml.safe_dump(value, allow_unicode=True))
    return path


@pytest.fixture
def town(tmp_path: Path, receiver: int) -> Iterator[Town]:
    town = Town(tmp_path, Planted())
    for folder in ("outside/credentials", "product/city", "product/school", "out"):
        (tmp_path / folder).mkdir(parents=True)
    _plant(town, receiver)
    try:
        yield town
    finally:
        for process in town.running.values():
            process.kill()
            process.wait()


def _vault(town: Town, where: str) -> Vault:
    """A vault whose key systemd hands over."""
    key = KeyKey.fresh()
    town.planted.add(f"{where} vault key", key.text)
    town.planted.by_name[f"{where} vault key octets"] = key.octets
    (town.outside / "credentials" / f"{where}-key").write_text(key.text)
    return Vault.create(town.product / where / "vault", key, suite=Suite.AES)


def _plant(town: Town, receiver: int) -> None:
    plant, school, city = town.planted, _vault(town, "school"), _vault(town, "city")

    def kept(vault: Vault, name: str) -> str:
        vault.put(name, Secret(plant.new(name)), now=0)
        return f"vault:{name}"

    ports = [free_udp_port() for _ in range(SWITCHES + SECURED)]
    switches: list[dict[str, Any]] = []
    fleet = []
    for number in range(SWITCHES):
        reference = kept(school, f"community-{number}")
        community = plant.by_name[f"community-{number}"].decode()
        fleet.append({"name": f"s{number}", "vendor": "huawei", "ports": 4, "community": community})
        if number < 5:
            following = Secret(plant.new(f"next-community-{number}"))
            school.put(f"community-{number}", following, now=0, following=True)
        switches.append({"name": f"s{number}", "snmp": {"community": reference}})
    for number in range(SECURED):
        auth, priv = kept(school, f"auth-{number}"), kept(school, f"priv-{number}")
        snmp = {
            "version": "v3", "user": "u", "auth": {"protocol": "sha256", "password": auth},
            "priv": {"protocol": "aes128", "password": priv},
        }  # fmt: skip
        switches.append({"name": f"v{number}", "snmp": snmp})
    for switch, port in zip(switches, ports, strict=True):
        switch |= {"host": "127.0.0.1", "port": port}
    switches += [_with_console(plant, school, kept, dialect) for dialect in FORMS]
    broker = free_port()
    traps = {
        "listen": f"127.0.0.1:{free_udp_port()}",
        "communities": [kept(school, "trap-community")],
        "users": [{
            "user": "t",
            "auth": {"protocol": "sha256", "password": kept(school, "trap-auth")},
            "priv": {"protocol": "aes128", "password": kept(school, "trap-priv")},
        }],
    }  # fmt: skip
    core = {"name": "c", "kind": "core", "host": "127.0.0.1", "port": free_udp_port()}
    written(
        town.product / "school/school.yaml",
        {
            "schema_version": 1,
            "school": {"id": "no3", "name": "No. 3", "district": "d1", "city": "c1"},
            "uplink": {"broker": {"host": "127.0.0.1", "port": broker, "username": "agent",
                                  "password": kept(school, "agent-broker-password")}},
            "switches": switches,
            "links": [
                {"id": "l1", "tier": "class", "switch": "s0", "port": PORT},
                {"id": "l2", "tier": "class", "switch": REPAIRED, "port": PORT, "room": "r2"},
                {"id": "up", "tier": "uplink", "switch": "s1", "port": PORT},
            ],
            "devices": [{"id": "board/b1"}],
            "polling": {"state_seconds": 1, "counters_seconds": 2, "timeout_seconds": 0.5},
            "traps": traps,
            "probes": {"targets": [core | {"key": kept(school, "probe-key")}]},
            "vault": {"path": "vault", "key": "credential:school-key"},
            "outbox": {"path": "outbox"},
        },
    )  # fmt: skip
    hook = {
        "kind": "webhook", "url": f"http://127.0.0.1:{receiver}/hook",
        "secret": kept(city, "webhook-secret"),
    }  # fmt: skip
    written(
        town.product / "city/city.yaml",
        {
            "schema_version": 1,
            "city": {"id": "c1", "name": "C"},
            "districts": [{"id": "d1", "name": "D"}],
            "schools": ["../school/school.yaml"],
            "broker": {"host": "127.0.0.1", "port": broker, "username": "city",
                       "password": kept(city, "city-broker-password")},
            "store": {"path": "store", "influx": {"url": f"http://127.0.0.1:{receiver}",
                                                  "token": kept(city, "influx-token")}},
            "http": {
                "port": free_port(), "tls": "off", "metrics_token": kept(city, "metrics-token"),
            },
            "escalation": {"school": {"after": {"warning": 0, "critical": 0}, "channels": [hook]}},
            "trust": {"outward_allow": ["127.0.0.0/8"],
                      "ca": {"passphrase": kept(city, "ca-passphrase")}},
            "incidents": {"hold_seconds": 0, "holds": {}},
            "auth": {"second_factor": ["security-admin", "system-admin", "audit-admin"]},
            "enforcement": {"mode": "auto", "settle_seconds": 1, "hold_seconds": 1},
            "vault": {"path": "vault", "key": "credential:city-key"},
        },
    )  # fmt: skip
    _outside(town, fleet, ports, broker)


def _with_console(
    plant: Planted, vault: Vault, kept: Callable[[Vault, str], str], dialect: str
) -> dict[str, Any]:
    """A switch of school.yaml; where its command line is, is known when it has started."""
    if dialect == WRONG:
        plant.new(f"ssh password on the switch {dialect}")
    cli = {
        "dialect": dialect, "username": "tenone", "automatic": ["restore-negotiation"],
        "password": kept(vault, f"ssh password {dialect}".replace(" ", "-")),
    }  # fmt: skip
    plant.by_name[f"ssh password {dialect}"] = plant.by_name.pop(f"ssh-password-{dialect}")
    if dialect in ENABLES:
        cli["enable"] = kept(vault, f"enable-{dialect}")
        plant.by_name[f"enable {dialect}"] = plant.by_name.pop(f"enable-{dialect}")
    if dialect == REPLACED:
        value = Secret(plant.new(f"next ssh password {dialect}"))
        vault.put(f"ssh-password-{dialect}", value, now=0, following=True)
    community = kept(vault, f"community-{dialect}")
    plant.by_name[f"community {dialect}"] = plant.by_name.pop(f"community-{dialect}")
    return {"name": dialect, "host": "127.0.0.1", "port": free_udp_port(),
            "snmp": {"community": community}, "cli": cli}  # fmt: skip


def _outside(town: Town, fleet: list[dict[str, object]], ports: list[int], broker: int) -> None:
    """What is not the product: Mosquitto and the switches."""
    plant = town.planted.by_name
    assert MOSQUITTO is not None
    assert MOSQUITTO_PASSWD is not None
    passwords = town.outside / "passwords"
    passwords.write_text(
        f"agent:{plant['agent-broker-password'].decode()}\n"
        f"city:{plant['city-broker-password'].decode()}\n"
    )
    subprocess.run([MOSQUITTO_PASSWD, "-U", str(passwords)], check=True)
    conf = town.outside / "mosquitto.conf"
    conf.write_text(
        f"listener {broker} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n"
        "user root\nset_tcp_nodelay true\n"
    )
    for number, entry in enumerate(fleet):
        place = town.outside / f"fleet-{number}.json"
        place.write_text(json.dumps([entry]))
        (town.outside / f"sim-{number}").write_text(f"--fleet {place} --port {ports[number]}")
    for number in range(SECURED):
        user = (
            f"u:sha256:{plant[f'auth-{number}'].decode()}:aes128:{plant[f'priv-{number}'].decode()}"
        )
        (town.outside / f"sim-{SWITCHES + number}").write_text(
            f"--ports 4 --port {ports[SWITCHES + number]} --v3-user {user}"
        )


class Drive:
    """What is done to the town."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.sims: list[subprocess.Popen[bytes]] = []
        self.consoles: dict[str, Console] = {}
        self.school = str(town.product / "school/school.yaml")
        self.city = str(town.product / "city/city.yaml")
        port = yaml.safe_load(Path(self.city).read_text())["http"]["port"]
        self.url = f"http://127.0.0.1:{port}"

    def devices(self) -> None:
        for number in range(SWITCHES + SECURED):
            words = (self.town.outside / f"sim-{number}").read_text().split()
            self.sims.append(
                subprocess.Popen(
                    [sys.executable, "-m", "tenone.cli", "sim", "switch", *words],
                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )
            )  # fmt: skip
        self._start_consoles()
        self.broker()

    def _start_consoles(self) -> None:
        """Start them, write down where they are, pin their keys as a walk there would have."""
        school, pins = yaml.safe_load(Path(self.school).read_text()), []
        here = [one for one in school["switches"] if one["name"] in FORMS]
        for switch in here:
            dialect = switch["name"]
            place = self.town.outside / f"fleet-{dialect}.json"
            console = start(dialect, place, switch["port"], self.town.planted)
            self.consoles[dialect] = console
            self.sims.append(console.sim)
        for switch in here:
            console = self.consoles[switch["name"]]
            console.planted(self.town.planted)
            switch["cli"]["port"] = console.ready["console"]["port"]
            pins.append(console.ready["console"]["host_key"].strip())
        written(Path(self.school), school)
        outbox = self.town.product / "school/outbox"
        outbox.mkdir()
        (outbox / HOST_KEYS).write_text("".join(f"{line}\n" for line in sorted(pins)))

    def enrolled(self) -> None:
        """What an enrolment brings: the city's keys for approvals, as a sealed file holds them."""
        vault = Vault.open(
            self.town.product / "city/vault",
            KeyKey.parse(self.town.planted.by_name["city vault key"].decode()),
        )
        own = KeyKey.parse(vault.get(OWN_KEY).use())
        self.town.planted.add("city own files", own.text)
        files = SealedFiles(lambda: (vault.suite, own))
        trust = self.town.product / "city/store/trust"
        raw = json.loads(files.read(trust / FILE_NAME, WHAT))
        for name in ("current", "next"):
            self.town.planted.by_name[f"approval key {name}"] = bytes.fromhex(raw[name])
        outbox = self.town.product / "school/outbox"
        (outbox / KEYS_FILE).write_text(ApprovalSigner(trust, "c1", files).keys.text)
        opened_long_ago(outbox)

    def care(self) -> None:
        """What the gateway's own commands say of configurations and of what would be done."""
        run = self.town.run
        for dialect in (REPAIRED, REPLACED):
            for word in ("versions", "show", "diff", "check"):
                run(f"{word} {dialect}", "configuration", word, dialect, "-c", self.school)
        for dialect in (REPAIRED, WRONG):
            port = self.consoles[dialect].ready["ports"][1]
            run(f"plan {dialect}", "switch", "plan", dialect, port, "bounce-port",
                "-c", self.school)  # fmt: skip
        run("hostkey", "hostkey", "list", "-c", self.school)
        run("approvals", "approvals", "list", "-c", self.city)
        run("approvals", "approvals", "rotate", "-c", self.city)

    def broker(self) -> None:
        assert MOSQUITTO is not None
        self.sims.append(
            subprocess.Popen(
                [MOSQUITTO, "-c", str(self.town.outside / "mosquitto.conf")],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip

    def close(self) -> None:
        for process in self.sims:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def commands(self) -> None:
        """Commands beside the services, right and wrong."""
        run, plant = self.town.run, self.town.planted
        assert run("good", "check", "--secrets", self.school)[0] == 0
        assert run("good", "check", "--secrets", self.city)[0] == 0
        bad = Path(self.school).read_text()
        for number, (old, new) in enumerate(
            (
                ("vault:community-0", plant.new("inline community")),
                ("vault:agent-broker-password", f"plain:{plant.new('inline password')}"),
                ("vault:trap-auth", f"env:{plant.new('inline variable')}-"),
                ("credential:school-key", plant.new("inline vault key")),
                ("vault:probe-key", f"vault:{plant.new('inline name').upper()}"),
            )
        ):
            file = self.town.outside / f"wrong-{number}.yaml"
            file.write_text(bad.replace(old, new, 1))
            assert run(f"wrong {number}", "check", str(file))[0] == 1
            assert run(f"wrong {number}", "agent", "-c", str(file))[0] == 2
        run("list", "secret", "list", "-c", self.city)
        run("check", "secret", "check", "-c", self.city)
        run("argv", "secret", "set", "x", plant.new("value by argv"), "-c", self.city)
        run("piped", "secret", "set", "x", "-c", self.city, given=plant.new("piped"))
        run("no key", "secret", "check", "-c", self.city, CREDENTIALS_DIRECTORY="")
        run("rotate", "secret", "rotate-key", "-c", self.city)
        port = yaml.safe_load(bad)["switches"][0]["port"]
        wrong = {"A": plant.new("wrong community"), "B": plant.new("wrong auth")}
        at = f"127.0.0.1:{port}"
        quick = ("--timeout", "0.3", "--retries", "0")
        run("snmp", "snmp", "show", at, "-c", "env:A", *quick, **wrong)
        v3 = "user=u,auth=sha256:env:B,priv=aes128:env:A"
        run("snmp", "snmp", "show", at, "--v3", v3, *quick, **wrong)
        secured = yaml.safe_load(bad)["switches"][SWITCHES]["port"]
        run("snmp", "snmp", "show", f"127.0.0.1:{secured}", "--v3", v3, *quick, **wrong)
        good = {"A": plant.by_name["community-0"].decode()}
        code, shown = run("snmp", "snmp", "show", at, "-c", "env:A", "--json", **good)
        assert code == 0, (shown, list(self.town.outputs.items())[-1])

    def strangers(self) -> None:
        """A wrong community, a board whose message is nothing, a wrong password for the broker."""
        plant = self.town.planted
        school = yaml.safe_load(Path(self.school).read_text())
        trap = ["snmptrap", "-v2c", "-c", plant.new("a stranger's community")]
        trap += [school["traps"]["listen"], "", "1.3.6.1.6.3.1.1.5.3"]
        subprocess.run(trap, capture_output=True, check=True)
        ready = json.loads((self.town.folder / "out/agent.out").read_text().splitlines()[0])
        local = str(ready["local_broker"]["port"])
        topic = "t1/board/b1/s"
        for port, word in ((local, ""), (str(school["uplink"]["broker"]["port"]), "wrong broker")):
            who = ["-u", "agent", "-P", plant.new(word)] if word else []
            words = ["mosquitto_pub", "-V", "5", "-h", "127.0.0.1", "-p", port, "-t", topic]
            words += ["-q", "1", "-m", "{", *who]
            sent = subprocess.run(words, capture_output=True, check=False)
            assert (sent.returncode == 0) is not bool(word)

    def reports(self) -> None:
        """Reports, their evidence, the ledger and its verdict, the inventory."""
        run = self.town.run
        day = f"{local_date(time.time_ns(), ZoneInfo(CITY_ZONE))}"  # the city's, not the machine's
        where = self.town.product / "reports"
        where.mkdir()
        for form in ("json", "csv", "html", "pdf"):
            made = ("--format", form, "-o", str(where / f"sla.{form}"))
            kept = ("--school", "no3", "--evidence", str(where / f"bundle-{form}"))
            said = run("report", "report", "sla", "-c", self.city, "--from", day, *made, *kept)
            assert said[0] == 0, list(self.town.outputs.items())[-1]
        run("quality", "report", "quality", "-c", self.city, "--from", day)
        assert run("verify", "verify", str(where / "bundle-json"))[0] == 0
        assert run("audit", "audit", "verify", "-c", self.city)[0] == 0
        run("audit", "audit", "list", "-c", self.city)
        run("inventory", "inventory", "export", "-c", self.city, "--to", str(where / "netbox"))
        run("incidents", "incidents", "-c", self.city)
        run("unit", "service", "unit", "agent", "-c", self.school)
        run("unit", "service", "unit", "controller", "-c", self.city)
        run("egress", "agent", "egress", "-c", self.school, "--nft")
        token, shown = run("token", "enrol", "token", "no3", "-c", self.city)
        assert token == 0, shown
        self.town.outputs.popitem()  # shown once, to whom asked for it
        words = [word for word in shown.decode().split() if len(word) > 20]
        self.town.planted.add("enrolment token", words[0])
        run("enrol", "enrol", "-c", self.school, "--controller", self.url, TENONE_TOKEN=words[0])
        run("enrol", "enrol", "list", "-c", self.city)

    def back_up(self) -> None:
        """Copies of all folders, as a backup would take them, archived and not."""
        shutil.copytree(self.town.product, self.town.product / "backup")


async def until(holds: Any, what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not await holds():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.1)


async def people(drive: Drive, client: httpx.AsyncClient) -> None:
    """Accounts from the first code on, refused sign-ins, and every readable address."""
    town, plant = drive.town, drive.town.planted
    out = town.folder / "out" / "controller.out"

    async def coded() -> bool:
        return out.read_bytes().count(b"sign_in_code") > 1

    town.running["controller"].send_signal(signal.SIGUSR1)
    await until(coded, "a code is printed")
    lines = [json.loads(line) for line in out.read_text().splitlines() if line.startswith("{")]
    code = next(line["sign_in_code"] for line in reversed(lines) if line.get("sign_in_code"))
    answer = await client.post("/api/v1/sessions", json={"code": code})
    assert answer.status_code == 201, answer.text
    pending = (await client.get("/api/v1/users/first")).json()
    seed = next(value for key, value in pending.items() if key in {"secret", "seed"})
    password = plant.new("account password")
    first = {"name": "wang", "password": password, "code": pyotp.TOTP(seed).now()}
    made = await client.post("/api/v1/users/first", json=first)
    assert made.status_code == 201, made.text
    plant.add("second factor's seed", seed.replace(" ", ""))
    plant.by_name["second factor's octets"] = base64.b32decode(seed.replace(" ", ""))
    codes = made.json()["recovery_codes"]
    for number, one in enumerate(codes[:3]):
        plant.add(f"recovery code {number}", one)
    answer = await client.post("/api/v1/sessions", json=first | {"code": codes[0]})
    assert answer.status_code == 201, answer.text
    plant.add("session cookie", next(iter(client.cookies.values())))
    other = {"name": "li", "grants": [{"role": "viewer", "scope": "c1"}]}
    answer = await client.post("/api/v1/users", json=other)
    assert answer.status_code == 201, answer.text
    plant.add("an account's one-time code", answer.json()["one_time_code"])
    wrong = {"name": "wang", "password": plant.new("wrong password"), "code": "000000"}
    for body in (
        wrong,
        {"code": plant.new("wrong code")},
        {"name": plant.new("password as name"), "password": "x" * 12},
        {"passwort": plant.new("password in a wrong field")},
    ):
        said = await client.post("/api/v1/sessions", json=body)
        town.outputs[f"refused sign-in {sorted(body)}"] = said.content
        assert said.status_code >= 400, said.text
    for header in ({"authorization": f"Bearer {plant.new('wrong bearer')}"},
                   {"cookie": f"tenone={plant.new('wrong cookie')}"}):  # fmt: skip
        for path in ("/metrics", "/readyz", "/api/v1/links", "/nowhere"):
            said = await client.get(path, headers=header)
            town.outputs[f"{path} with {list(header)}"] = said.content
    right = {"authorization": f"Bearer {plant.by_name['metrics-token'].decode()}"}
    lists = ("users/current", "schools", "links", "incidents", "users", "devices")
    plain = ("/metrics", "/readyz", "/livez", "/openapi.json")
    for path in (*plain, *(f"/api/v1/{one}" for one in lists)):
        said = await client.get(path, headers=right)
        town.outputs[path] = said.content
        town.outputs[f"{path} headers"] = repr(said.headers.raw).encode()


async def repairs(drive: Drive, client: httpx.AsyncClient) -> None:
    """Somebody sets a port wrong by hand; it is repaired, and everything told of it is kept."""
    town = drive.town
    console = drive.consoles[REPAIRED]
    console.tell(port=PORT, configure={"speed_mbps": 100})
    drift = ("snmp-agent community write cipher {}", "set authentication password cipher {}")
    extra = [line.format(town.planted.new(f"drift {n}")) for n, line in enumerate(drift)]
    console.tell(lines=extra)
    code, said = town.run("li", "user", "add", "li.operator", "-c", drive.city,
                          "--grant", "operator@c1", "--grant", "viewer@c1")  # fmt: skip
    assert code == 0, said
    town.outputs.popitem()  # shown once, to whom asked for it
    town.planted.add("operator's one-time code", said.split()[-1].decode())
    password = {"password": town.planted.new("operator's password")}
    opened = {"name": "li.operator", "code": said.split()[-1].decode()}
    async with httpx.AsyncClient(
        base_url=str(client.base_url), headers=client.headers, timeout=60
    ) as li:
        for path, body in (("sessions", opened), ("users/current/enrol", password),
                           ("sessions", {"name": "li.operator", **password})):  # fmt: skip
            answer = await li.post(f"/api/v1/{path}", json=body)
            assert answer.is_success, answer.text
        done: list[str] = []

        async def repaired() -> bool:
            found = (await li.get("/api/v1/actions")).json()["items"]
            done[:] = [one["id"] for one in found if one["state"] not in {"granted", "started"}]
            return bool(done)

        await until(repaired, "the port is repaired, or a sentence says why it is not")
        for dialect, there in drive.consoles.items():
            answer = await li.post(f"/api/v1/configurations/no3/{dialect}/fetch")
            town.outputs[f"fetch {dialect}"] = answer.content
            asked = {"switch": dialect, "port": there.ready["ports"][1]}
            for intent in ("restore-negotiation", "bounce-port", "quarantine"):
                wanted = {"school": "no3", "intent": intent, "parameters": asked}
                answer = await li.post("/api/v1/actions/dry-run", json=wanted)
                town.outputs[f"dry run {intent} {dialect}"] = answer.content
        paths = [f"/api/v1/actions/{one}{more}" for one in done for more in ("", "/course")]
        paths += [f"/repairs/{one}" for one in done]
        paths += [f"/api/v1/configurations/no3/{dialect}" for dialect in FORMS]
        paths += [f"/api/v1/{one}" for one in (
            "configurations", "actions", "actions/proposals", "actions/standing", "links",
            "incidents", "ports", "devices", "drifts", "schools", "reports/quality")]  # fmt: skip
        paths += ["/", "/repairs", "/incidents", "/account", "/readyz", "/metrics",
                  "/metrics/links?district=d1", "/no/such/page"]  # fmt: skip
        for path in paths:
            answer = await li.get(path)
            town.outputs[f"li: {path}"] = answer.content + repr(answer.headers.raw).encode()
        town.repaired = [town.outputs[f"li: /api/v1/actions/{one}/course"] for one in done]
        await asyncio.to_thread(drive.care)


async def drive_all(town: Town) -> None:
    """From the start to the end of the town's short life."""
    drive = Drive(town)
    try:
        drive.devices()
        stumbling = town.outside / "stumble"
        stumbling.mkdir()
        (stumbling / "sitecustomize.py").write_text(CRASHING)
        path = f"{stumbling}{os.pathsep}{Path(__file__).parents[2]}"
        town.start("controller", "controller", "-c", drive.city, "--ready-json", "-v")
        async with httpx.AsyncClient(base_url=drive.url, headers={"Origin": drive.url}) as client:

            async def up() -> bool:
                with contextlib.suppress(httpx.HTTPError):
                    return (await client.get("/healthz")).is_success
                return False

            await until(up, "the controller is up")
            drive.enrolled()
            # --demo: nobody sets a test machine's clock, and the city shares it.
            agent = ("agent", "-c", drive.school, "--ready-json", "-v", "--demo")
            town.start("agent", *agent, PYTHONPATH=path)

            async def flows() -> bool:
                with contextlib.suppress(httpx.HTTPError):
                    text = (await client.get("/metrics")).text
                    return "tenone_links{" in text and Receiver.count > 3
                return False

            await until(flows, "data flows, and goes on to the export")
            town.look()
            await people(drive, client)
            await repairs(drive, client)
            town.look()
            await asyncio.to_thread(drive.strangers)
            await asyncio.to_thread(drive.commands)
            broker = drive.sims.pop()
            broker.kill()
            broker.wait()
            await asyncio.sleep(2)
            drive.broker()
            town.running["agent"].send_signal(signal.SIGUSR1)  # it knows none: it ends
            await asyncio.sleep(1)
            if town.running["agent"].poll() is not None:
                town.start("agent", *agent)
            await asyncio.sleep(2)
            await asyncio.to_thread(drive.reports)
            town.look()
        town.stop("agent", signal.SIGSEGV)
        town.stop("controller")
        drive.back_up()
    finally:
        drive.close()


@pytest.mark.slow
@pytest.mark.skipif(MOSQUITTO is None, reason="not installed: mosquitto")
@pytest.mark.timeout(900)
async def test_no_planted_secret_comes_out(town: Town) -> None:
    await drive_all(town)
    count = len(town.planted.by_name)
    log = (town.folder / "out/agent.err").read_text()
    assert "planted stumble over" in log, "the traceback was written"
    assert "Traceback" in log
    assert any("tenone_" in text.decode("utf-8", "replace") for text in town.outputs.values())
    for name in ("controller", "agent"):
        cores = [
            line for line in town.seen[f"{name}/limits"].decode().splitlines() if "core" in line
        ]
        assert cores[0].split()[4:6] == ["0", "0"], cores
    assert not list(town.folder.rglob("core*.[0-9]*"))
    expected = f"Token {town.planted.by_name['influx-token'].decode()}"
    assert expected in Receiver.tokens, "secrets reach whom they are for"
    assert [one for one in (town.product / "school/outbox/quarantine").rglob("*") if one.is_file()]
    files = sum(1 for one in town.product.rglob("*") if one.is_file())
    processes = {name.partition("/")[0] for name in town.seen}
    print(
        f"\n{count} canaries, {files} files, {len(town.outputs)} outputs, {len(town.seen)} views "
        f"of {len(processes)} processes and their children searched"
    )
    dry = [data for name, data in town.outputs.items() if name.startswith("dry run")]
    planned = sum(b'"lines"' in data for data in dry)
    fetched = sum(b"accepted" in town.outputs[f"fetch {dialect}"] for dialect in FORMS)
    print(f"{planned} of {len(dry)} dry runs have lines, {fetched} configurations were fetched")
    assert planned >= len(FORMS) - 1, "all but the one that refuses its password"
    assert fetched == len(FORMS) - 1
    assert any(b'"proved":1' in course for course in town.repaired)
    kept = sorted(one.name for one in (town.product / "school/outbox/configurations").iterdir())
    assert {f"secrets-{dialect}" for dialect in FORMS if dialect != WRONG} <= set(kept), kept
    shown = town.outputs[next(name for name in town.outputs if f"show {REPAIRED}:" in name)]
    assert b"<secret:" in shown
    assert "new-login-works" in str(town.outputs) or "cli-credentials.json" in {
        one.name for one in (town.product / "school/outbox").iterdir()
    }
    assert any("console" in name or "/child" in name for name in town.seen)
    for name in (
        "school/outbox/seal-key",
        "city/store/people.key",
        "city/store/trust/" + FILE_NAME,
    ):
        assert (town.product / name).read_bytes().startswith(b"tenone-sealed 1"), name
    leaks = town.leaks()
    assert leaks == {}
    assert count >= 80

    # The search finds what is there: one canary of each form, in a file and in an output.
    names = list(town.planted.by_name)
    for place, form in enumerate(forms(town.planted.by_name["influx-token"])):
        (town.product / f"leak-{place}").write_bytes(b"x=" + form + b"&")
    town.outputs["leak"] = town.planted.by_name[names[0]]
    found = town.leaks()
    assert found.pop("leak") == {names[0]}
    assert set(found) == {f"leak-{n}" for n in range(9)}
