"""Quantities as people write them: ``10s``, ``512MB``, ``10G``, and other checked texts."""

import ipaddress
import math
import re
import unicodedata
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, Strict, ValidationInfo

from tenone.config.refusal import base_directory, refusal
from tenone.vocabulary.scope import SLUG_RULE, is_slug
from tenone.vocabulary.scope import Slug as _Slug

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_MEGABYTES = {
    "MB": 1.0,
    "GB": 1000.0,
    "TB": 1_000_000.0,
    "MiB": 1.048576,
    "GiB": 1073.741824,
    "TiB": 1_099_511.627776,
}
_MBPS = {"M": 1, "G": 1000, "Mbps": 1, "Gbps": 1000}
_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
LONGEST_HOST = 253
"""Characters of a host name (RFC 1035 section 2.3.4, less the length octets)."""
LONGEST_SHOWN = 60
"""How much of a wrong value a message repeats."""
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _scaled(value: object, units: dict[str, float] | dict[str, int], example: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    elif isinstance(value, str) and (match := _QUANTITY.fullmatch(value.strip())):
        unit = match[2]
        if unit and unit not in units:
            raise refusal(f"the unit {unit!r} is not known here", f"use one of {', '.join(units)}")
        number = float(match[1]) * (units[unit] if unit else 1)
    else:
        raise refusal("this is not a quantity", f"write a number, or {example}")
    if not math.isfinite(number):
        raise refusal("this is not a finite number", f"write a number, or {example}")
    return number


def _seconds(value: object) -> float:
    return _scaled(value, _SECONDS, "a number with a unit such as 10s, 5m, 1h")


def duration_seconds(text: str) -> float:
    """Seconds in a duration as people write it; raises ``ValueError`` with what to write."""
    return _seconds(text)


def _days(value: object) -> float:
    if isinstance(value, str):
        return _seconds(value) / 86_400
    return _scaled(value, {"d": 1}, "a number of days such as 7 or 7d")


def _megabytes(value: object) -> float:
    return _scaled(value, _MEGABYTES, "a number with a unit such as 512MB, 2GiB")


def _mbps(value: object) -> int:
    number = _scaled(value, _MBPS, "a number with a unit such as 100M, 1G, 2.5G")
    if number != int(number):
        raise refusal("this is not a whole number of Mbit/s", "write 2500 or 2.5G")
    return int(number)


def _slug(text: str) -> _Slug:
    if not is_slug(text):
        raise refusal(f"{_shown(text)} is not a valid identifier", SLUG_RULE)
    return _Slug(text)


def _host(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        labels = text.removesuffix(".").split(".")
        numeric = labels[-1].isdigit()
        if len(text) > LONGEST_HOST or numeric or not all(map(_HOST_LABEL.fullmatch, labels)):
            raise refusal(
                f"{_shown(text)} is neither an IP address nor a host name",
                "write an address such as 10.1.2.3 or a name, without port and scheme",
            ) from None
    return text


def _clean(text: str) -> str:
    if any(unicodedata.category(c) == "Cc" or c in _BIDI_CONTROLS for c in text):
        raise refusal("the text holds control characters", "remove them")
    if text != text.strip():
        raise refusal("the text begins or ends with a space", "remove it")
    return text


def _prose(text: str) -> str:
    odd = (unicodedata.category(c) in {"Cc", "Cs"} and c not in "\t\r\n" for c in text)
    if any(odd) or any(c in _BIDI_CONTROLS for c in text):
        raise refusal("the text holds control characters", "remove them")
    return text


def _shown(text: str) -> str:
    return repr(text) if len(text) <= LONGEST_SHOWN else repr(text[:LONGEST_SHOWN]) + "..."


def _path(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        return base_directory(info) / value
    if not isinstance(value, str) or not value or "\0" in value:
        raise refusal("this is not a path", "write the path of a file or directory as text")
    return base_directory(info) / Path(value).expanduser()


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine alone: a loopback address or ``localhost``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Slug: TypeAlias = Annotated[_Slug, Strict(), AfterValidator(_slug)]
"""An identifier: see :mod:`tenone.vocabulary.scope`."""
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_clean)]
"""A name for people: any Unicode, 1 to 120 characters, no control characters."""
Prose: TypeAlias = Annotated[str, AfterValidator(_prose)]
"""What a person wrote: lines of any Unicode, without what turns text around or ends it."""
PortName: TypeAlias = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_clean)]
"""A port as the switch names it (ifName, at most 255 octets: RFC 2863 DisplayString)."""
Host: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=LONGEST_HOST), AfterValidator(_host)
]
"""An IP address or a host name."""
Port: TypeAlias = Annotated[int, Strict(), Field(ge=1, le=65535)]
"""A UDP or TCP port."""
Flag: TypeAlias = Annotated[bool, Strict()]
Ratio: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Seconds: TypeAlias = Annotated[float, BeforeValidator(_seconds), Field(gt=0)]
"""A duration: seconds as a number, or text such as ``10s``, ``5m``, ``1h``."""
Days: TypeAlias = Annotated[float, BeforeValidator(_days), Field(gt=0)]
"""A duration: days as a number, or text such as ``7d``, ``12h``."""
Megabytes: TypeAlias = Annotated[float, BeforeValidator(_megabytes), Field(gt=0)]
"""A size: 10^6 bytes as a number, or text such as ``512MB``, ``2GiB``."""
Mbps: TypeAlias = Annotated[int, BeforeValidator(_mbps), Field(ge=1, le=2**31)]
"""A bit rate: Mbit/s as a number, or text such as ``100M``, ``1G``."""
LocalPath: TypeAlias = Annotated[Path, BeforeValidator(_path)]
"""A path; a relative one starts from the configuration file's directory."""
