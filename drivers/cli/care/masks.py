"""Secrets of a configuration, taken out so that the rest may be shown, and put back to restore.

In place of a secret stands ``<secret:NAME>``; the name is a keyed hash (HMAC-SHA-256, RFC 2104),
so that a changed secret shows as a change and nobody without the key can try values. What is
masked, whether it is encrypted by the switch or not: type 7 and the reversible ``cipher`` forms
are no protection. In doubt a word is masked.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

NAME_BYTES = 8
HIDDEN = "<secret>"
_WORD = r'("[^"]*"\S*|\S+)'
_SEALED = "irreversible-cipher|cipher|simple|plain|hash"
_FORM = rf"(?:(?:{_SEALED}|encrypted|encryption|ascii|hex|\d{{1,3}})\s+)*"
"""How the secret is written: words and numbers that may stand before it, several at once
(``authentication-mode simple cipher X``, ``level 15 7 X``, ``community encrypted X``)."""
_BLOCKS = r"address\b|hostname\b|pass-phrase\b|set-key\b|ckn\b"
_SERVERS = (
    r"(?:radius-server|tacacs-server|server|server-private|client|portal|primary|secondary)\b"
)
_PATTERNS = tuple(
    re.compile(text, re.IGNORECASE)
    for text in (
        # Huawei and H3C: a word says that what follows is a secret, sealed or not.
        rf"\b(?<!server )(?<!client )(?:{_SEALED})\s+{_FORM}(?!authentication-mode\b){_WORD}",
        rf"\bsnmp-agent\s+community\s+(?:(?:read|write)\s+)?{_FORM}(?!complexity-check\b|mode\b){_WORD}",
        rf"\b(?:authentication|privacy)-mode\s+(?!password|aaa|none|scheme|local|radius|hwtacacs)[\w-]+\s+(?:(?:key-id|rfc\d+|usual|nonstandard)\s+)*{_FORM}(?!keychain\b){_WORD}",
        rf"\bsecurityname\s+{_FORM}{_WORD}",
        rf"\b(?:shared-key|preshared-key|pre-shared-key|wpa-psk|psk|set-key|pass-?phrase|auth-code|cak|sshkey)\s+(?:(?:local|remote)\s+)?{_FORM}(?!{_BLOCKS}){_WORD}",
        rf"\bmd5-password\s+(?:cipher|plain)\s+\S+\s+{_WORD}",
        rf"\bsa\s+(?:authentication-hex|encryption-hex|string-key)\s+(?:in|out)bound\s+\w+\s+{_FORM}{_WORD}",
        rf"\bpin\s+verify\s+(?:auto\s+)?{_FORM}{_WORD}",
        # Cisco, Ruijie, ZTE: a type may stand before the secret.
        rf"\b(?:secret|password)\s+(?:level\s+\d+\s+|role\s+\S+\s+)?{_FORM}{_WORD}",
        rf"\bsnmp-server\s+community\s+(?:encrypted\s+|[0-9]\s+)*{_WORD}",
        rf"\bsnmp-server\s+host\s+(?:vrf\s+\S+\s+|ipv6\s+)*\S+\s+(?:informs?\s+|traps?\s+|vrf\s+\S+\s+|version\s+(?:1|2c|3\s+\w+)\s+|community\s+|encrypted\s+|[0-9]\s+)*{_WORD}",
        rf"\bsnmp\s+mib\s+community-map\s+{_WORD}",
        rf"\brmon\s+event\s.*\b(?:log-?)?trap\s+{_WORD}",
        rf"\bkey\s+{_FORM}(?!chain\b|\d+\s*$|config-key\b|authentication\b|accounting\b|authorization\b){_WORD}(?=\s*$)",
        rf"\bkey-string\s+{_FORM}{_WORD}",
        rf"\b{_SERVERS}.*\bkey\s+{_FORM}{_WORD}",
        rf"\bkey\s+(?:authentication|accounting|authorization)\s+{_FORM}{_WORD}",
        rf"\bkey\s+config-key\s+\S+\s+{_WORD}",
        rf"\bcrypto\s+isakmp\s+key\s+(?:\d\s+)?{_WORD}",
        rf"\bntp\s+authentication-key\s+\d+\s+[\w-]+\s+{_FORM}{_WORD}",
        rf"\bmessage-digest-key\s+\d+\s+md5\s+{_FORM}{_WORD}",
        rf"\b(?:auth|priv)\s+(?:md5|sha(?:-?\d+)?|des|3des|aes(?:-?\d+)?)\s+{_FORM}{_WORD}",
        rf"\bauthentication\s+text\s+{_WORD}",
        rf"\b(?:standby|vrrp|glbp|nhrp)\b.*\bauthentication\s+(?!md5\b|text\b){_WORD}",
        # Whatever stands around it: a password in an address, and what a switch has sealed.
        r"://[^\s:/@]+:([^\s/@]+)@",
        r"(%\^%#\S+|%@%@\S+|%\$%\$\S+|%\+%#\S+|\$[chHC]\$\d\$\S+|\*\d\d\*[A-Za-z0-9+/=]{8,})",
    )
)
_NOT_SECRET = frozenset({"*", "******", "authentication-mode", "level", "role", "any"})
_BEGIN = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_END = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")
_MASK = re.compile(r"<secret:([0-9a-f]{16})>")
Hide = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Masked:
    """A configuration that may be shown, and what was taken out of it, by name."""

    lines: tuple[str, ...]
    secrets: Mapping[str, str]


class UnknownSecretError(ValueError):
    """A mask whose secret is not known any more; one sentence."""


def mask(lines: Iterable[str], key: bytes) -> Masked:
    """Take every secret out; ``key`` names them."""
    secrets: dict[str, str] = {}

    def hide(text: str) -> str:
        name = hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
        secrets[name.hexdigest()[: 2 * NAME_BYTES]] = text
        return f"<secret:{name.hexdigest()[: 2 * NAME_BYTES]}>"

    return Masked(tuple(_hidden(lines, hide)), secrets)


def hidden(text: str) -> str:
    """``text`` with its secrets gone for good: what a switch said, for people to read."""
    return "\n".join(_hidden(text.split("\n"), lambda _: HIDDEN))


def _hidden(lines: Iterable[str], hide: Hide) -> list[str]:
    found: list[str] = []
    block: list[str] | None = None
    for line in lines:
        if block is not None:
            block.append(line)
            if _END.search(line):
                found.append(hide("\n".join(block)))
                block = None
            continue
        if _BEGIN.search(line):
            block = [line]
            continue
        found.append(_masked(line, hide))
    if block is not None:
        found.append(hide("\n".join(block)))
    return found


def _masked(line: str, hide: Hide) -> str:
    """``line`` without its secrets."""
    if "<secret:" in line:
        # Text of the switch that looks like a mask of ours: hidden whole, so none is made up.
        return hide(line)
    spans: list[tuple[int, int]] = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(line):
            begin, end = match.span(1)
            if match[1].lower() not in _NOT_SECRET and not any(
                b < end and begin < e for b, e in spans
            ):
                spans.append((begin, end))
    for begin, end in sorted(spans, reverse=True):
        line = line[:begin] + hide(line[begin:end]) + line[end:]
    return line


def unmask(lines: Sequence[str], secrets: Mapping[str, str]) -> tuple[str, ...]:
    """Put every secret back; raises :class:`UnknownSecretError`."""

    def back(match: re.Match[str]) -> str:
        if match[1] not in secrets:
            raise UnknownSecretError(f"the secret {match[1]} is not known here any more")
        return secrets[match[1]]

    return tuple(part for line in lines for part in _MASK.sub(back, line).split("\n"))
