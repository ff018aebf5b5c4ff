"""What Debian's daemons in the lab's switch are told: files of their own, none of the machine's.

snmpd.conf(5), sshd_config(5), lldpd(8), passwd(5), shadow(5).
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMUNITY = "lab-reads"
WRITES = "lab-writes"
"""For the cache's time-out alone; no manager has it."""
V3_USER, V3_AUTH, V3_PRIVACY = "labuser", "lab-auth-phrase", "lab-privacy-phrase"
ADMIN, PASSWORD = "netadmin", "lab password 1"
IF_TABLE = "1.3.6.1.2.1.2.2"
NS_CACHE_TIMEOUT = "1.3.6.1.4.1.8072.1.5.3.1.2"
"""nsCacheTimeout (NET-SNMP-AGENT-MIB), seconds; its index is the table's OID."""
AGENTX = "/run/agentx.sock"


@dataclass(frozen=True, slots=True)
class Files:
    """Where the daemons' files are."""

    folder: Path

    def snmpd(self, ports: Sequence[str], name: str) -> list[str]:
        """Write snmpd's; the command that starts it. Port 161 of the namespace is nobody else's."""
        supplement = f"{sys.executable} -m tests.lab.duplex {' '.join(ports)}"
        (self.folder / "snmpd.conf").write_text(
            "agentAddress udp:161\n"
            f"rocommunity {COMMUNITY}\nrwcommunity {WRITES}\n"
            f'createUser {V3_USER} SHA "{V3_AUTH}" AES "{V3_PRIVACY}"\nrouser {V3_USER} priv\n'
            f"sysName {name}\nsysLocation the honest lab\nsysContact nobody\n"
            "dontLogTCPWrappersConnects yes\nmaster agentx\n"
            f"agentXSocket {AGENTX}\nagentXPerms 0777 0777\n"
            f"pass_persist .1.3.6.1.2.1.10.7.2.1.19 {supplement}\n"
        )
        (self.folder / "snmp").mkdir(exist_ok=True)
        # Without its own rows of dot3StatsTable the column above is free for the supplement.
        return ["snmpd", "-f", "-Lf", str(self.folder / "snmpd.log"), "-C", "-c",
                str(self.folder / "snmpd.conf"), "-I", "-dot3StatsTable", "-r"]  # fmt: skip

    def sshd(self) -> list[str]:
        """Write sshd's files and a host key; the command that starts it."""
        key = self.folder / "host_key"
        if not key.exists():
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True
            )
        (self.folder / "sshd_config").write_text(
            f"Port 22\nHostKey {key}\nPidFile none\nUsePAM no\nUseDNS no\nPermitRootLogin yes\n"
            "PasswordAuthentication yes\nPubkeyAuthentication no\nPrintMotd no\nPrintLastLog no\n"
            "KbdInteractiveAuthentication no\nX11Forwarding no\nLogLevel VERBOSE\n"
            "MaxStartups 100\nClientAliveInterval 15\n"
        )
        return ["/usr/sbin/sshd", "-D", "-E", str(self.folder / "sshd.log"), "-f",
                str(self.folder / "sshd_config")]  # fmt: skip

    def accounts(self) -> str:
        """Write passwd and shadow with one administrator; the script that puts them in place.

        Only inside: the mounts are the namespace's own. The prompt is `$`, because netmiko's
        `linux` waits ten seconds for a `#` that has gone when it leaves.
        """
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        (home / ".bash_profile").write_text(
            "PS1='\\h$ '\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nunset HISTFILE\n"
        )
        machine = Path("/etc/passwd").read_text(encoding="utf-8")
        (self.folder / "passwd").write_text(f"{machine}{ADMIN}:x:0:0::{home}:/bin/bash\n")
        self.set_password(PASSWORD)
        return (
            f"mount --bind {self.folder}/passwd /etc/passwd\n"
            f"mount --bind {self.folder}/shadow /etc/shadow\n"
            "mkdir -p /run/sshd /run/lldpd\n"
        )

    def set_password(self, password: str) -> None:
        """As the administrator would set it; in place, for the file is mounted."""
        hashed = subprocess.run(
            ["openssl", "passwd", "-6", "-salt", "honestlab", "-stdin"],
            input=password, text=True, capture_output=True, check=True,
        ).stdout.strip()  # fmt: skip
        shadow = self.folder / "shadow"
        shadow.write_text(f"root:*:19000:0:99999:7:::\n{ADMIN}:{hashed}:19000:0:99999:7:::\n")
        shadow.chmod(0o600)

    def lldpd(self, ports: Sequence[str], *, agentx: bool) -> list[str]:
        """Write lldpd's; the command that starts it on these ports alone."""
        told = self.folder / "lldpd.conf"
        told.write_text("configure lldp tx-interval 1\n")
        into = ["-X", AGENTX] if agentx else []
        return [
            "lldpd", "-d", "-O", str(told), "-I", ",".join(ports), "-C", ports[0], *into,
        ]  # fmt: skip
