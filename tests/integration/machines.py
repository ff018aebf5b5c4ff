"""Machines of their own for one test: systemd as process 1, in containers over this machine's tree.

``systemd-nspawn`` boots a copy-on-write overlay of ``/``, with a network namespace of its own. So
the units run where an operator runs them, with the packages that are installed here, and nothing of
it stays. What such a container has not: the memory controller (cgroups of version 1 are not handed
down), so ``MemoryMax`` and ``TasksMax`` are compared with what was used instead.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGES = ("agents", "controller", "dashboards", "drivers", "firmware_sims", "tenone")
NEEDED = ("systemd-nspawn", "nsenter", "ip", "mosquitto", "snmpd", "sshd", "git", "nft")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
OPT = "/opt/tenone"
TENONE = f"{OPT}/venv/bin/tenone"
BOOT_SECONDS = 60.0
DEADLINE_SECONDS = 90.0


def missing() -> str:
    """Why no machine can be made here; empty where one can."""
    if os.environ.get("TENONE_UNITS") != "1":
        return "it takes minutes and makes containers: run it with TENONE_UNITS=1"
    if os.geteuid() != 0:
        return "only root makes containers"
    gone = [name for name in NEEDED if shutil.which(name, path=PATH) is None]
    if gone:
        return f"not installed: {', '.join(gone)} (systemd-nspawn is of systemd-container)"
    if "overlay" not in Path("/proc/filesystems").read_text(encoding="ascii"):
        return "this kernel has no overlay file system"
    return ""


def until(fact: Callable[[], object], what: str, seconds: float = DEADLINE_SECONDS) -> float:
    """Wait for a fact; returns how long it took, in seconds."""
    began = time.monotonic()
    while not fact():
        assert time.monotonic() - began < seconds, f"never came: {what}"
        time.sleep(0.05)
    return time.monotonic() - began


def run(*words: str, data: str | None = None) -> str:
    """A command of this machine; its output."""
    done = subprocess.run(
        words, input=data, capture_output=True, text=True, check=False, env={"PATH": PATH}
    )
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


def own_cgroups(name: str) -> list[Path]:
    """A group for one container in each tree that systemd keeps its units in."""
    top = Path("/sys/fs/cgroup")
    made = []
    for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
        number, controller, path = line.split(":", 2)
        if number != "0" and controller != "name=systemd":
            continue
        pure = (top / "cgroup.controllers").exists()
        tree = top if pure else top / ("unified" if number == "0" else "systemd")
        group = tree / path[1:] / name
        group.mkdir(exist_ok=True)
        made.append(group)
    return made


class Machine:
    """One of them. ``root`` is its tree as seen from here."""

    def __init__(self, name: str, folder: Path, *, netns: str) -> None:
        self.name = name
        self.root = folder / "root"
        self.netns = netns
        self._folder = folder
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self._settled = True
        self._cgroups: list[Path] = []

    def prepare(self) -> None:
        """The tree: this machine's, with nothing started but what the test enables."""
        upper = self._folder / "upper"
        for made in (upper, self.root):
            made.mkdir(parents=True)
        run("mount", "-t", "tmpfs", "-o", "size=1g", self.name, str(upper))
        for made in (upper / "tree", upper / "work"):
            made.mkdir()
        layers = f"lowerdir=/,upperdir={upper / 'tree'},workdir={upper / 'work'}"
        run("mount", "-t", "overlay", self.name, "-o", layers, str(self.root))
        for wants in (self.root / "etc/systemd/system").glob("*.wants"):
            shutil.rmtree(wants)
        (self.root / "etc/machine-id").write_text("")  # its own
        (self.root / "etc/hostname").write_text(f"{self.name}\n")
        for folder in ("var/log/journal", "var/lib/mosquitto"):
            shutil.rmtree(self.root / folder, ignore_errors=True)
        run("install", "-d", "-o", "mosquitto", "-m", "755", str(self.root / "var/lib/mosquitto"))
        self._interpreter()

    def _interpreter(self) -> None:
        """This test's interpreter and packages below /opt, where everybody may read them."""
        opt = self.root / OPT[1:]
        site = f"venv/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
        for made in ("python", "packages", site, "venv/bin"):
            (opt / made).mkdir(parents=True)
        self._checkout(opt / "checkout")
        version = ".".join(map(str, sys.version_info[:3]))
        (opt / "venv/pyvenv.cfg").write_text(f"home = {OPT}/python/bin\nversion = {version}\n")
        python = f"python{sys.version_info.major}.{sys.version_info.minor}"
        (opt / "venv/bin/python").symlink_to(f"{OPT}/python/bin/{python}")
        (opt / site / "tenone.pth").write_text(f"{OPT}/checkout\n{OPT}/packages\n")
        # An interpreter with a shared library looks for it at its own prefix, which is hidden here.
        (self.root / "etc/ld.so.conf.d/000-tenone.conf").write_text(f"{OPT}/python/lib\n")
        script = f"#!{OPT}/venv/bin/python\nfrom tenone.cli.main import run\nrun()\n"
        (opt / "venv/bin/tenone").write_text(script)
        (opt / "venv/bin/tenone").chmod(0o755)

    @staticmethod
    def _checkout(there: Path) -> None:
        """A copy: a service that is started anew runs what it ran before.

        Bound to the checkout itself it ran what somebody was just writing, failed, and was tried
        again by systemd until the edit was whole: it looked like an agent slow to come back.
        """
        half_written = shutil.ignore_patterns("*.pyc.*")
        for one in PACKAGES:  # with times and what is compiled: the service may not write there
            shutil.copytree(CHECKOUT / one, there / one, ignore=half_written)

    def _binds(self) -> list[str]:
        packages = next(one for one in map(Path, sys.path) if (one / "cryptography").is_dir())
        pairs = {f"{OPT}/python": Path(sys.base_prefix), f"{OPT}/packages": packages}
        return [f"--bind-ro={source}:{target}" for target, source in pairs.items()]

    def boot(self, *, settled: bool = True) -> None:
        """Start it; process 1 is systemd, the target is what this machine has enabled.

        Waits until everything has been started, unless ``settled`` is False.
        """
        self._settled = settled
        if not (self.root / "sbin/init").exists():
            pytest.skip("systemd is not this machine's init: apt-get install systemd-sysv")
        self._cgroups = own_cgroups(self.netns)
        entered = " ".join(f"{one}/cgroup.procs" for one in self._cgroups)
        enter = f'for file in {entered}; do echo $$ > "$file"; done; exec "$@"'
        with (self._folder / "console").open("wb") as console:
            self._nspawn = subprocess.Popen(
                [
                    "sh", "-c", enter, "sh",
                    "systemd-nspawn", "-D", str(self.root), "-b", f"--machine={self.name}",
                    "--register=no", "--keep-unit", "--console=pipe", "--link-journal=no",
                    f"--network-namespace-path=/run/netns/{self.netns}", "--resolv-conf=off",
                    "--capability=all", "--system-call-filter=bpf @keyring", *self._binds(),
                ],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                env={"PATH": PATH, "SYSTEMD_SECCOMP": "0"},
            )  # fmt: skip
        until(self._booted, f"{self.name} boots: {self._folder / 'console'}", BOOT_SECONDS)
        self.run("ldconfig")

    def _booted(self) -> bool:
        assert self._nspawn is not None
        code = self._nspawn.poll()
        assert code is None, (self._folder / "console").read_text(errors="replace")
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")
        for child in children.read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                self._leader = int(child)
                said = self.try_("systemctl", "is-system-running").stdout.strip()
                return said in {"running", "degraded", *(() if self._settled else ("starting",))}
        return False

    def halt(self) -> None:
        """As if somebody pulled its plug: with process 1 everything in it is gone."""
        if self._nspawn is None:
            return
        if self._leader:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._leader, signal.SIGKILL)
        else:
            self._nspawn.kill()
        self._nspawn.wait(20)
        self._nspawn, self._leader = None, 0
        for one in self._cgroups:
            for path in sorted(one.rglob("*/"), reverse=True):
                with contextlib.suppress(OSError):  # the next run takes another name
                    path.rmdir()
            with contextlib.suppress(OSError):
                one.rmdir()

    def stop(self) -> None:
        """End it and forget its tree."""
        self.halt()
        for mounted in (self.root, self._folder / "upper"):
            with contextlib.suppress(AssertionError):
                run("umount", "-l", str(mounted))

    # -- inside

    def try_(
        self, *words: str, user: str = "", data: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A command inside, as root or as ``user``."""
        inside = ["nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-n", "-p", "-r", "-w"]
        whose = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        return subprocess.run(
            [*inside, *whose, *words], input=data, capture_output=True, text=True, check=False,
            env={"PATH": PATH, "HOME": "/", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip

    def run(self, *words: str, user: str = "", data: str | None = None) -> str:
        """The same; must end well. Its standard output."""
        done = self.try_(*words, user=user, data=data)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def write(self, path: str, text: str, *, mode: int = 0o644, owner: str = "root") -> None:
        """A file inside."""
        file = self.root / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)
        if owner != "root":
            self.run("chown", f"{owner}:{owner}", path)

    def shown(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit."""
        said = self.run("systemctl", "show", unit, "-p", ",".join(names))
        return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)

    def journal(self, unit: str) -> str:
        """What a unit said."""
        return self.run("journalctl", "-u", unit, "-o", "cat", "--no-pager")

    def pid(self, unit: str) -> int:
        """Its main process, as numbered inside; 0: none."""
        return int(self.shown(unit, "MainPID")["MainPID"])

    def status(self, pid: int) -> Mapping[str, str]:
        """/proc/PID/status of a process inside."""
        lines = self.run("cat", f"/proc/{pid}/status").splitlines()
        return {key: value.strip() for key, _, value in (one.partition(":") for one in lines)}


@contextlib.contextmanager
def two_machines(addresses: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, Machine]]:
    """Machines by name, joined by one cable; addresses in the form 10.0.0.1/24."""
    mark = f"t1-{os.getpid()}"
    folder = Path(tempfile.mkdtemp(prefix="tenone-machines-", dir="/var/tmp"))
    folder.chmod(0o700)
    made: dict[str, Machine] = {}
    names = list(addresses)
    try:
        for name in names:
            run("ip", "netns", "add", f"{mark}-{name}")
            made[name] = Machine(name, folder / name, netns=f"{mark}-{name}")
        ends = [f"{mark}-{name}" for name in names]
        run(
            "ip",
            "-n",
            ends[0],
            "link",
            "add",
            "wan",
            "type",
            "veth",
            "peer",
            "wan",
            "netns",
            ends[1],
        )
        for name, netns in zip(names, ends, strict=True):
            run("ip", "-n", netns, "link", "set", "lo", "up")
            for address in addresses[name]:
                run("ip", "-n", netns, "address", "add", address, "dev", "wan")
        for one in made.values():
            one.prepare()
        yield made
    finally:
        for one in made.values():
            one.stop()
            subprocess.run(["ip", "netns", "delete", one.netns], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def answer(text: str) -> dict[str, object]:
    """JSON of a command."""
    found = json.loads(text)
    assert isinstance(found, dict)
    return found
