"""mosquitto.conf for the city's broker and a school's, as text. Pure.

Keys as in mosquitto.conf(5) of 2.0.11, the version of Debian 12; newer ones take them all.
"""

from dataclasses import dataclass
from pathlib import Path

PLUGIN = Path("/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so")
MAX_PACKET_BYTES = 512 * 1024
"""Twice the largest birth seen; a resource limit, not a contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MutualTls:
    """The listener that is not loopback: who comes shows a certificate of ``ca``."""

    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path
    crl: Path | None
    passwords: bool = False
    """Devices that have no certificate: TLS stays, the account is a name and a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conf:
    """One broker."""

    folder: Path
    """Holds its database and ``dynamic-security.json``; its user must be able to write there."""
    loopback_port: int
    tls: MutualTls
    plugin: Path = PLUGIN
    user: str = "mosquitto"
    max_queued: int = 10_000
    """Messages that wait for a slow client; QoS 0 beyond is dropped, receipts bring it back."""
    max_queued_mb: int = 64
    watched: bool = True
    """The keeper reads the broker's log: connections by an older protocol, ids taken over."""

    @property
    def dynsec_file(self) -> Path:
        """The plugin's file."""
        return self.folder / "dynamic-security.json"


def conf_text(conf: Conf) -> str:
    """The file."""
    lines = [
        "# Written by TenOne (tenone broker config). Changes here are lost when it writes again.",
        f"user {conf.user}",
        "# One access control for all listeners: the plugin cannot be loaded for each.",
        "per_listener_settings false",
        "allow_anonymous false",
        f"plugin {conf.plugin}",
        f"plugin_opt_config_file {conf.dynsec_file}",
        "",
        "# What agents have said is made safe by receipts, not by this file; it keeps sessions and",
        "# retained messages over a restart.",
        "persistence true",
        f"persistence_location {conf.folder}/",
        "autosave_interval 60",
        "persistent_client_expiration 14d",
        "",
        "set_tcp_nodelay true",
        f"max_packet_size {MAX_PACKET_BYTES}",
        "max_inflight_messages 100",
        f"max_queued_messages {conf.max_queued}",
        f"max_queued_bytes {conf.max_queued_mb * 1_000_000}",
        "max_keepalive 120",
        "sys_interval 10",
        "",
        "connection_messages true",
        "log_dest stderr",
        *(["log_dest topic"] if conf.watched else []),
        "log_type error",
        "log_type warning",
        "log_type notice",
        "",
        "# The programs of this machine.",
        f"listener {conf.loopback_port} 127.0.0.1",
        "",
        *_tls(conf.tls),
    ]
    return "\n".join(lines) + "\n"


def _tls(tls: MutualTls) -> list[str]:
    lines = [
        "# Everybody else: TLS 1.2 or newer.",
        f"listener {tls.port} {tls.host}",
        "tls_version tlsv1.2",
        f"cafile {tls.ca}",
        f"certfile {tls.certificate}",
        f"keyfile {tls.key}",
    ]
    if tls.passwords:
        return lines
    lines += [] if tls.crl is None else [f"crlfile {tls.crl}"]
    return [
        *lines,
        "require_certificate true",
        "use_identity_as_username true",
        "# Without this anybody with a certificate could end anybody's session by its client id:",
        "# the plugin does not look at the id of who is known by a certificate.",
        "use_username_as_clientid true",
    ]


_SANDBOX = """\
AmbientCapabilities=
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
MemorySwapMax=0
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=full
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources @memlock
SystemCallFilter=@chown @setuid
SystemCallErrorNumber=EPERM
UMask=0077
LimitCORE=0
"""
_HOMES = tuple(map(Path, ("/home", "/root", "/run/user")))
_LOWEST_FREE_PORT = 1024


def unit_text(conf: Conf, first: Path) -> str:
    """A drop-in for mosquitto.service: lists that were lost begin again with the first ones.

    Without its file 2.0.11 starts all the same and refuses everybody, the keeper too. Without the
    list of revoked certificates it does not start, and so is tried again until there is one.

    Debian's unit walls the broker in with nothing. It begins as root, reads its key and becomes
    ``conf.user``; that is what the capabilities are for, and the fifth for root's reload of it.
    """
    capabilities = "CAP_CHOWN CAP_DAC_READ_SEARCH CAP_KILL CAP_SETGID CAP_SETUID"
    if min(conf.loopback_port, conf.tls.port) < _LOWEST_FREE_PORT:
        capabilities += " CAP_NET_BIND_SERVICE"
    read = (conf.tls.ca, conf.tls.certificate, conf.tls.key, conf.tls.crl, conf.folder, first)
    home = any(path.is_relative_to(one) for path in read if path is not None for one in _HOMES)
    sandbox = _SANDBOX.replace("ProtectHome=yes", "ProtectHome=read-only") if home else _SANDBOX
    return (
        "[Unit]\n"
        "StartLimitIntervalSec=0\n"
        "\n"
        "[Service]\n"
        f"ExecStartPre=+/bin/sh -c 'test -s {conf.dynsec_file} || "
        f"install -m 600 -o {conf.user} {first} {conf.dynsec_file}'\n"
        "Restart=always\n"
        "RestartSec=1\n"
        "LimitNOFILE=65536\n"
        f"CapabilityBoundingSet={capabilities}\n"
        f"{sandbox}"
    )


def reload_texts(crl: Path) -> dict[str, str]:
    """Two units, by file name: when the list of revoked certificates is replaced, it is read.

    So the controller needs no right to speak to the service manager or to signal the broker.

    systemd watches nothing while the service runs (its path.c), so the service looks itself until
    the list has been the same for a second. Six lists within ten seconds are no reason to give up
    for good, which is what a start limit would be.
    """
    seen = f"stat -c %%.Z {crl}"
    return {
        "tenone-crl.path": (
            "[Unit]\nStartLimitIntervalSec=0\n\n"
            f"[Path]\nPathChanged={crl}\n\n[Install]\nWantedBy=multi-user.target\n"
        ),
        "tenone-crl.service": (
            "[Unit]\nStartLimitIntervalSec=0\n\n"
            "[Service]\nType=oneshot\n"
            f'ExecStart=/bin/sh -c \'until [ "$$seen" = "$$({seen})" ]; do seen=$$({seen}); '
            "systemctl try-reload-or-restart mosquitto.service; sleep 1; done'\n"
        ),
    }
