"""Agent, controller and broker as units of a real systemd, as an operator sets them up.

Two machines, a cable between them. A call the units' filters deny kills the service here, but for
the few that libraries ask for at start and do without: so nothing is denied unseen.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.integration.machines import (
    TENONE,
    Machine,
    missing,
    run,
    two_machines,
    until,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.root,
    pytest.mark.xdist_group("units in systemd"),
    pytest.mark.timeout(600),
]

CITY_YAML = "/etc/tenone/city.yaml"
SCHOOL_YAML = "/etc/tenone/school.yaml"
FOLDER = "/var/lib/tenone"
CITY, SWITCH, SCHOOL = "10.99.0.1", "10.99.0.11", "10.99.0.2"
UNITS = {"city": "tenone-controller", "school": "tenone-agent"}
LOUD = """\
[Service]
SystemCallFilter=prlimit64 setpriority sched_setaffinity mbind
SystemCallErrorNumber=
WatchdogSec=5
"""
"""What is denied kills; the four named are asked for at start, and done without."""
CITY_CONFIG = {
    "schema_version": 1,
    "city": {"id": "binhai", "name": "Binhai"},
    "districts": [{"id": "east", "name": "East"}],
    "schools": ["school.yaml"],
    "http": {"host": CITY, "hosts": ["city.example"]},
    "broker": {
        "host": "127.0.0.1", "port": 1883, "username": "tenone.host", "password": "vault:host",
    },
    "vault": {"path": f"{FOLDER}/vault", "key": "credential:vault-key"},
    "store": {"path": f"{FOLDER}/store"},
    "records": {"url": f"sqlite:///{FOLDER}/records.db"},
    "trust": {
        "ca": {"path": f"{FOLDER}/ca", "crl_file": "/etc/tenone/broker/crl.pem"},
        "broker": {"password": "vault:keeper"},
    },
}  # fmt: skip


def school_config(console: int) -> dict[str, object]:
    return {
        "schema_version": 1,
        "school": {"id": "no3", "name": "No. 3", "district": "east", "city": "binhai"},
        "uplink": {
            "broker": {"host": "city.example", "port": 8883},
            "identity": f"{FOLDER}/identity",
            "controller": "https://city.example:8010",
        },
        "vault": {"path": f"{FOLDER}/vault", "key": "credential:vault-key"},
        "outbox": {"path": f"{FOLDER}/outbox"},
        "polling": {"state_seconds": 1, "counters_seconds": 1},
        "switches": [
            {
                "name": "core",
                "host": SWITCH,
                "snmp": {"community": "vault:core"},
                "cli": {
                    "dialect": "huawei-vrp5",
                    "username": "tenone",
                    "password": "vault:core-cli",
                    "port": console,
                },
            }
        ],
        "probes": {
            "path_method": "icmp",
            "path_seconds": 30,
            "platforms": [{"id": "exam", "url": f"http://{SWITCH}/", "path": True}],
        },
    }


@dataclass
class Town:
    """Both machines, set up as docs/brokers.md, machines.md and secrets.md say."""

    city: Machine
    school: Machine
    key: str = ""
    console: int = 0
    loud: bool = True
    waited: dict[str, float] = field(default_factory=dict)

    @property
    def machines(self) -> dict[str, Machine]:
        return {"city": self.city, "school": self.school}

    def tenone(self, machine: Machine, *words: str, data: str = "", env: str = "") -> str:
        """A command in the service's name, with its credential."""
        config = CITY_YAML if machine is self.city else SCHOOL_YAML
        return machine.run(
            "systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--uid=tenone",
            "--gid=tenone", "-p", "LoadCredential=vault-key:/etc/tenone/credentials/vault-key",
            *(["-p", f"Environment={env}"] if env else []), TENONE, *words, "-c", config,
            data=data,
        )  # fmt: skip

    def set_up(self) -> None:
        for one in self.machines.values():
            one.boot()
            self._prepare(one)
        self._switch()
        for one in self.machines.values():
            one.write(SCHOOL_YAML, json.dumps(school_config(self.console)))
            one.write(CITY_YAML, json.dumps(CITY_CONFIG))
            self.tenone(one, "secret", "init")
        self._city()
        self._school()

    def _prepare(self, one: Machine) -> None:
        one.run("useradd", "--system", "tenone")
        one.run("install", "-d", "-o", "tenone", "-g", "tenone", "-m", "700", FOLDER)
        key = run("openssl", "rand", "-hex", "32")
        one.write("/etc/tenone/credentials/vault-key", key, mode=0o600)
        with (one.root / "etc/hosts").open("a") as hosts:
            hosts.write(f"\n{CITY} city.example\n")
        one.run("ip", "link", "set", "wan", "up")

    def _switch(self) -> None:
        """Simulated, on the far machine: SNMP and a console over SSH."""
        self.city.run(
            "systemd-run", "--quiet", "--unit=switch", TENONE, "sim", "switch", "--ready-json",
            "--host", SWITCH, "--port", "161", "--ports", "8", "--console", "vendor",
            "--console-password", "canary-console",
        )  # fmt: skip
        until(lambda: '"ready"' in self.city.journal("switch"), "the switch is up")
        found = re.search(r'"console": \{[^}]*"port": (\d+)', self.city.journal("switch"))
        assert found is not None, self.city.journal("switch")
        self.console = int(found[1])

    def _city(self) -> None:
        city, broker = self.city, "/etc/tenone/broker"
        city.run("install", "-d", "-o", "tenone", "-g", "tenone", "-m", "755", broker)
        for name in ("host", "keeper"):
            self.tenone(city, "secret", "set", name, data=run("openssl", "rand", "-hex", "32"))
        self.tenone(city, "enrol", "server", "broker", "--dns", "city.example", "--out", broker)
        files = [f"--{name}={broker}/{file}.pem" for name, file in
                 (("ca", "ca"), ("certificate", "certificate"), ("key", "key"))]  # fmt: skip
        self.tenone(city, "broker", "config", "--folder", broker, *files)
        city.run(
            "sh", "-ec",
            f"cd {broker}; install -m 644 mosquitto.conf /etc/mosquitto/; chown mosquitto key.pem;"
            "install -D -m 644 tenone.conf -t /etc/systemd/system/mosquitto.service.d;"
            "cp tenone-crl.* /etc/systemd/system; systemctl daemon-reload;"
            "systemctl enable --now tenone-crl.path; systemctl enable mosquitto;"
            "systemctl restart --no-block mosquitto",
        )  # fmt: skip
        self._unit(city, "controller", CITY_YAML)
        said = self.tenone(city, "user", "key", "add", "test", "--grant", "operator@")
        found = re.search(r"t1k_\S+", said)
        assert found is not None
        self.key = found[0]

    def _school(self) -> None:
        school = self.school
        for name, value in {"core": "public", "core-cli": "canary-console"}.items():
            self.tenone(school, "secret", "set", name, data=value)
        self.enrol()
        school.run("install", "-d", "-o", "tenone", "-g", "tenone", "-m", "700", f"{FOLDER}/outbox")
        shown = self.tenone(school, "hostkey", "show", "core")
        found = re.search(r"SHA256:\S+", shown)
        assert found is not None
        self.tenone(school, "hostkey", "pin", "core", found[0].rstrip(",;."))
        # icmp(7): whose group may send echo requests. A machine that probes so sets it once.
        run("ip", "netns", "exec", school.netns, "sysctl", "-qw",
            "net.ipv4.ping_group_range=0 2147483647")  # fmt: skip
        self._unit(school, "agent", SCHOOL_YAML)

    def enrol(self) -> None:
        token = self.tenone(self.city, "enrol", "token", "no3").strip().splitlines()[-1]
        said = self.tenone(self.school, "enrol", env=f"TENONE_TOKEN={token}")
        assert "is enrolled until" in said

    def _unit(self, machine: Machine, kind: str, config: str, *options: str) -> None:
        name = f"tenone-{kind}.service"
        text = machine.run(TENONE, "service", "unit", kind, "-c", config, *options)
        machine.write(f"/etc/systemd/system/{name}", text)
        if self.loud:
            machine.write(f"/etc/systemd/system/{name}.d/loud.conf", LOUD)
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "enable", "--quiet", name)
        began = time.monotonic()
        machine.run("systemctl", "restart", name)
        self.waited[f"{kind} ready"] = time.monotonic() - began

    def get(self, path: str, *options: str) -> str:
        """An answer of the controller's, over HTTPS, from its own machine."""
        ca = f"{FOLDER}/store/web/ca.pem"
        return self.city.try_(
            "curl", "-sS", "--max-time", "20", "--cacert", ca, *options,
            "-H", f"Authorization: Bearer {self.key}", f"https://city.example:8010{path}",
        ).stdout  # fmt: skip

    def part(self, name: str) -> str:
        """What /readyz says of one part."""
        try:
            parts = json.loads(self.get("/readyz"))["parts"]
        except (ValueError, KeyError):
            return ""
        return next((one["sentence"] for one in parts if one["name"] == name), "")

    def online(self) -> bool:
        return "1 agents online" in self.part("broker")


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    reason = missing()
    if reason:
        pytest.skip(reason)
    addresses = {"city": (f"{CITY}/24", f"{SWITCH}/24"), "school": (f"{SCHOOL}/24",)}
    with two_machines(addresses) as made:
        town = Town(made["city"], made["school"])
        town.set_up()
        yield town
        print("\n" + ", ".join(f"{what} {spent:.2f} s" for what, spent in town.waited.items()))


def test_they_start_and_work(town: Town) -> None:
    town.waited["agent online"] = until(town.online, "the agent is online")
    for name, unit in UNITS.items():
        machine = town.machines[name]
        shown = machine.shown(unit, "ActiveState", "NRestarts", "Type", "WatchdogUSec")
        assert shown == {
            "ActiveState": "active", "NRestarts": "0", "Type": "notify", "WatchdogUSec": "5s",
        }  # fmt: skip
        status = machine.status(machine.pid(unit))
        assert (status["CapEff"], status["CapBnd"]) == ("0" * 16, "0" * 16)
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        failed = machine.run("systemctl", "--failed", "--plain", "--no-legend")
        assert failed == ""
    status = town.city.status(town.city.pid("mosquitto"))
    assert (status["CapEff"], status["NoNewPrivs"], status["Seccomp"]) == ("0" * 16, "1", "2")
    until(lambda: "core: answers" in town.school.journal("tenone-agent"), "it polls")


def test_consoles_git_and_echo_requests(town: Town) -> None:
    """The SSH child (fork, exec, a crypto library of its own), git, ICMP by datagram."""
    asked = ("-X", "POST", "-w", " %{http_code}")
    said = town.get("/api/v1/configurations/no3/core/fetch", *asked)
    assert said.endswith(" 200"), said + town.school.journal("tenone-agent")
    kept = town.tenone(town.school, "configuration", "versions", "core")
    assert kept.startswith("*"), kept
    log = f"{FOLDER}/outbox/configurations/history.git"
    assert town.school.run("git", "-c", "safe.directory=*", "-C", log, "log", "--all", "--oneline")
    journal = town.school.journal("tenone-agent")
    assert "no path to" not in journal, "echo requests are sent"


def test_what_is_denied_would_be_seen(town: Town) -> None:
    """The proof of the proof: a call out of the set ends the unit."""
    path = "/etc/systemd/system/tenone-agent.service.d/denied.conf"
    town.school.write(path, "[Service]\nExecStartPre=/usr/sbin/chroot / /bin/true\nRestart=no\n")
    town.school.run("systemctl", "daemon-reload")
    town.school.try_("systemctl", "restart", "tenone-agent")
    shown = town.school.shown("tenone-agent", "ActiveState", "Result")
    assert shown == {"ActiveState": "failed", "Result": "signal"}
    (town.school.root / path[1:]).unlink()
    town.school.run("journalctl", "--rotate")
    town.school.run("journalctl", "--vacuum-time=1s")
    town.school.run("systemctl", "daemon-reload")
    town.school.run("systemctl", "restart", "tenone-agent")
    until(town.online, "it is online again")


def test_stopped_killed_hung(town: Town) -> None:
    """SIGTERM is an orderly end; who dies or hangs is started again; nothing is lost."""
    for name, unit in UNITS.items():
        machine = town.machines[name]
        began = time.monotonic()
        machine.run("systemctl", "stop", unit)
        town.waited[f"{unit} stops"] = time.monotonic() - began
        shown = machine.shown(unit, "ActiveState", "Result", "ExecMainStatus")
        assert shown == {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"}
        assert "stopping" in machine.journal(unit)
        machine.run("systemctl", "start", unit)
        until(town.online, f"{unit} is stopped and started")
        for number, what, result in ((9, "killed", "signal"), (19, "hung", "watchdog")):
            began = time.monotonic()
            machine.run("kill", f"-{number}", str(machine.pid(unit)))
            _begun_anew(machine, unit, f"Failed with result '{result}'")
            until(town.online, f"{unit} was {what}")
            town.waited[f"{unit} {what}, online"] = time.monotonic() - began
        failed = machine.journal(unit).count("Failed with result 'exit-code'")
        assert failed == 0, f"{unit} came back only after {failed} starts that failed"
    evidence = town.part("evidence")
    assert "0 conflicts, 0 chain breaks, 0 never came" in evidence


def _begun_anew(machine: Machine, unit: str, said: str) -> None:
    until(lambda: said in machine.journal(unit), f"{unit}: {said}")
    until(lambda: machine.shown(unit, "ActiveState")["ActiveState"] == "active", "it is back")


def test_the_broker_comes_back(town: Town) -> None:
    began = time.monotonic()
    town.city.run("kill", "-9", str(town.city.pid("mosquitto")))
    until(lambda: "offline" in town.school.journal("tenone-agent"), "the agent saw it")
    until(town.online, "the broker is back")
    town.waited["broker killed, online"] = time.monotonic() - began


def test_the_broker_s_certificate_is_renewed_by_root(town: Town) -> None:
    """As a timer of root's would: the files stay whose they are, the broker reads them."""
    city, key = town.city, "/etc/tenone/broker/key.pem"
    before = city.run("stat", "-c", "%U %a %i", key).split()
    city.run(
        "systemd-run", "--quiet", "--pipe", "--wait", "--collect",
        "-p", "LoadCredential=vault-key:/etc/tenone/credentials/vault-key", TENONE,
        "enrol", "server", "broker", "--dns", "city.example", "--dns", "other.example",
        "--out", "/etc/tenone/broker", "-c", CITY_YAML,
    )  # fmt: skip
    after = city.run("stat", "-c", "%U %a %i", key).split()
    assert (before[:2], after[:2]) == (["mosquitto", "600"],) * 2
    assert before[2] != after[2]
    city.run("systemctl", "reload", "mosquitto")
    asks = f"openssl s_client -connect {CITY}:8883 </dev/null 2>/dev/null"
    shows = f"{asks} | openssl x509 -noout -ext subjectAltName"
    until(lambda: "other.example" in city.try_("sh", "-c", shows).stdout, "it shows the new one")
    owners = city.run("find", FOLDER, "/etc/tenone/broker", "-user", "root")
    assert owners == "", "nothing became root's"


def test_memory_and_tasks(town: Town) -> None:
    """Against what the units grant, since the controllers that hold it are not handed down."""
    for name, unit in UNITS.items():
        machine = town.machines[name]
        status = machine.status(machine.pid(unit))
        shown = machine.shown(unit, "MemoryMax", "TasksMax")
        peak_kib, threads = int(status["VmHWM"].split()[0]), int(status["Threads"])
        print(f"\n{unit}: peak {peak_kib // 1024} MiB of {int(shown['MemoryMax']) >> 20}, "
              f"{threads} threads of {shown['TasksMax']}")  # fmt: skip
        assert peak_kib * 1024 < int(shown["MemoryMax"]) / 2
        assert threads < int(shown["TasksMax"]) / 2


def test_the_machines_own_rules(town: Town) -> None:
    """nft about the service's user: its own way stays open, everything else is shut for it."""
    school = town.school
    program = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)"
    dial = ("python3", "-c", program)
    until(lambda: school.try_(*dial, CITY, "8010", user="tenone").returncode == 0, "it is open")
    town.city.run("systemd-run", "--quiet", "--unit=other", "python3", "-m", "http.server",
                  "9999", "--bind", CITY)  # fmt: skip
    until(lambda: school.try_(*dial, CITY, "9999", user="tenone").returncode == 0, "not yet shut")
    rules = school.run(TENONE, "agent", "egress", "-c", SCHOOL_YAML, "--nft")
    school.run("nft", "-f", "-", data=rules)
    refused = school.try_(*dial, CITY, "9999", user="tenone")
    assert "No route to host" in refused.stderr, "as ICMP says it: administratively prohibited"
    school.run(*dial, CITY, "9999")  # root is not meant
    school.run("systemctl", "restart", "tenone-agent")
    until(town.online, "the agent reaches what its list names")
    counted = school.run("nft", "list", "counters")
    packets = re.search(r"packets (\d+)", counted)
    assert packets is not None
    assert int(packets[1]) == 1, "what was tried by hand, and nothing of the agent's"


def test_nothing_was_denied_and_as_they_are(town: Town) -> None:
    """From here on without the drop-in that kills; a call that is denied is answered EPERM."""
    for name, unit in UNITS.items():
        machine = town.machines[name]
        denied(machine, unit)
        (machine.root / f"etc/systemd/system/{unit}.service.d/loud.conf").unlink()
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "restart", unit)
    town.loud = False
    until(town.online, "online as the units are")
    test_consoles_git_and_echo_requests(town)


def denied(machine: Machine, unit: str) -> None:
    """Nothing of that stands in its journal."""
    for line in machine.journal(unit).splitlines():
        for word in ("ermission denied", "not permitted", "Read-only", "status=31/SYS"):
            assert word not in line, line


def test_what_systemd_says_of_them(town: Town) -> None:
    said = {}
    for machine in town.machines.values():
        for line in machine.run("systemd-analyze", "security", "--no-pager").splitlines():
            unit, exposure, *_ = line.split()
            said[unit.removesuffix(".service")] = exposure
    print({unit: said[unit] for unit in ("tenone-agent", "tenone-controller", "mosquitto")})
    assert float(said["tenone-agent"]) <= 1.5
    assert float(said["tenone-controller"]) <= 1.2
    assert float(said["mosquitto"]) <= 2.5


def test_addresses_in_the_unit_and_low_ports(town: Town) -> None:
    """The unit's own list of addresses (BPF), and the one capability that low ports take."""
    school = town.school
    config = school_config(town.console) | {
        "traps": {"listen": "0.0.0.0:162", "communities": ["vault:core"]}
    }
    school.write(SCHOOL_YAML, json.dumps(config))
    town._unit(school, "agent", SCHOOL_YAML, "--freeze-names")
    unit = (school.root / "etc/systemd/system/tenone-agent.service").read_text()
    assert f"IPAddressAllow={CITY}\n" in unit
    until(town.online, "online with addresses limited")
    assert ":162 " in school.run("ss", "-lnu")
    status = school.status(school.pid("tenone-agent"))
    assert status["CapBnd"] == f"{1 << 10:016x}", "CAP_NET_BIND_SERVICE"
    until(lambda: "core: answers" in school.journal("tenone-agent"), "it polls")
    # That the limit is one: the same agent without the city in its list.
    cut = unit.replace(f"IPAddressAllow={CITY}\n", "")
    school.write("/etc/systemd/system/tenone-agent.service", cut)
    school.run("systemctl", "daemon-reload")
    school.run("systemctl", "restart", "tenone-agent")
    until(lambda: "0 agents online" in town.part("broker"), "the controller misses it")
    assert "Failed with result" not in school.journal("tenone-agent")[-500:]
    school.write("/etc/systemd/system/tenone-agent.service", unit)
    school.run("systemctl", "daemon-reload")
    school.run("systemctl", "restart", "tenone-agent")
    until(town.online, "and back")


def test_boot_without_a_network(town: Town) -> None:
    """Both machines lose power; the cable and the city's address come later."""
    for one in town.machines.values():
        one.halt()
        run("ip", "-n", one.netns, "link", "set", "wan", "down")
    run("ip", "-n", town.city.netns, "address", "delete", f"{CITY}/24", "dev", "wan")
    for one in town.machines.values():
        one.boot(settled=False)
    until(lambda: town.school.shown("tenone-agent", "ActiveState")["ActiveState"] == "active",
          "the agent needs no network to start")  # fmt: skip

    # The controller's own address is not there: it is tried again, however often.
    def tried() -> bool:
        return int(town.city.shown("tenone-controller", "NRestarts")["NRestarts"]) >= 1

    until(tried, "the controller tries again")
    run("ip", "-n", town.city.netns, "address", "add", f"{CITY}/24", "dev", "wan")
    for one in town.machines.values():
        run("ip", "-n", one.netns, "link", "set", "wan", "up")
    town.waited["network back, online"] = until(town.online, "online when the network is there")


def test_revoked_is_out_in_seconds(town: Town) -> None:
    """The path unit has the broker read the list, however often it is written."""
    for number in range(6):  # a start limit would be reached
        path = "/etc/tenone/broker/crl.pem"
        town.city.run("sh", "-ec", f"cp -p {path} {path}.{number}; mv {path}.{number} {path}")
        time.sleep(0.5)
    until(lambda: town.city.shown("tenone-crl.service", "ActiveState")["ActiveState"] == "inactive",
          "the lists are read")  # fmt: skip
    since = len(town.city.journal("mosquitto"))
    said = len(town.school.journal("tenone-agent"))

    def agent_says(words: str) -> bool:
        return words in town.school.journal("tenone-agent")[said:]

    town.tenone(town.city, "enrol", "revoke", "no3", "--why", "stolen")
    began = time.monotonic()
    until(lambda: agent_says("Administrative action"), "its session is cut")
    town.waited["revoked, cut"] = time.monotonic() - began
    until(lambda: "Reloaded" in town.city.journal("mosquitto")[since:], "the list is read")
    town.waited["revoked, list read"] = time.monotonic() - began
    until(lambda: agent_says("may not accept this client's certificate"), "it is refused")
    assert town.city.shown("tenone-crl.path", "ActiveState")["ActiveState"] == "active"
    said = len(town.school.journal("tenone-agent"))
    town.enrol()
    until(lambda: agent_says("giving birth"), "a new token lets it in again")
    for name, unit in UNITS.items():
        denied(town.machines[name], unit)
