"""The same list as rules for the machine (nftables), so that no code of the agent can step over it.

Applied by root: ``tenone agent egress -c school.yaml --nft | nft -f -``. Loading it again replaces
it whole (nft(8), atomic). Names stand with the addresses they have when the rules are made.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from agents.egress import Rule

TABLE = "tenone_egress"
RESOLV_CONF = Path("/etc/resolv.conf")
_OWN_LINK = (
    "nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld-listener-report, "
    "mld-listener-done, mld2-listener-report"
)
"""What IPv6 says to its own link (RFC 4861, RFC 3810)."""
Resolve = Callable[[str], list[str]]


class NftError(Exception):
    """Rules that cannot be made; one sentence."""


def system_addresses(host: str) -> list[str]:
    """All addresses the machine knows for ``host``; raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def system_resolvers(path: Path = RESOLV_CONF) -> tuple[str, ...]:
    """The machine's resolvers (resolv.conf(5)); none where the file says none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    found = []
    for line in lines:
        word, _, text = line.strip().partition(" ")
        if word == "nameserver":
            try:
                found.append(str(ipaddress.ip_address(text.strip().partition("%")[0])))
            except ValueError:
                continue
    return tuple(found)


def rules_text(
    rules: Iterable[Rule], *, user: str | None, resolve: Resolve = system_addresses
) -> str:
    """A file for ``nft -f``. ``user``: only what this user sends; None: the whole machine.

    Raises :class:`NftError` for a name without address.
    """
    if user is not None and not (
        user.isascii() and user.replace("-", "").replace("_", "").isalnum()
    ):
        # What stands here is read by root.
        raise NftError(f"{user!r:.60} is no user's name")
    # A packet of the kernel itself has no user: in rules about one it is not asked.
    whose = "" if user is None else f"meta skuid {user} "
    lines = [
        f"table inet {TABLE}",  # so that the delete finds one
        f"delete table inet {TABLE}",
        f"table inet {TABLE} {{",
        "  counter refused { }",
        "  chain output {",
        "    type filter hook output priority 0; policy accept;",
        f"    {whose}jump listed",
        "  }",
        "  chain listed {",
        '    oifname "lo" accept',
        "    ct state established,related accept",
        f"    icmpv6 type {{ {_OWN_LINK} }} accept",
        "    ip protocol igmp accept",
    ]
    for rule in rules:
        lines += [f"    {one}" for one in _lines(rule, resolve)]
    lines += [
        "    counter name refused reject with icmpx type admin-prohibited",
        "  }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _lines(rule: Rule, resolve: Resolve) -> list[str]:
    if "/" in rule.to:
        places = [str(ipaddress.ip_network(rule.to))]
    else:
        try:
            places = [str(ipaddress.ip_address(rule.to))]
        except ValueError:
            try:
                places = resolve(rule.to)
            except OSError as error:
                raise NftError(
                    f"{rule.to} ({rule.why}) has no address now ({error.strerror or error}): "
                    "make the rules when it has one"
                ) from error
    why = "".join(char if char.isascii() and (char.isalnum() or char in " .:/-") else "?"
                  for char in f"{rule.why} {rule.to}")[:100]  # fmt: skip
    made = []
    for place in places:
        six = ":" in place
        where = f"{'ip6' if six else 'ip'} daddr {place.partition('%')[0]}"
        if rule.protocol == "icmp":
            what = "icmpv6 type echo-request" if six else "icmp type echo-request"
        elif rule.port is None:
            what = f"meta l4proto {rule.protocol}"
        else:
            what = f"{rule.protocol} dport {rule.port}"
        made.append(f'{where} {what} accept comment "{why}"')
    return made
