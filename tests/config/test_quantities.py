from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tenone.config import quantities as q


def read(kind: Any, value: object, base: Path = Path("/base")) -> Any:
    return TypeAdapter(kind).validate_python(value, context={"base": base})


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        (q.Seconds, 10, 10.0),
        (q.Seconds, 0.5, 0.5),
        (q.Seconds, "10s", 10.0),
        (q.Seconds, "250ms", 0.25),
        (q.Seconds, "1.5 m", 90.0),
        (q.Seconds, "1h", 3600.0),
        (q.Seconds, "2d", 172_800.0),
        (q.Seconds, "7", 7.0),
        (q.Days, 7, 7.0),
        (q.Days, "7d", 7.0),
        (q.Days, "12h", 0.5),
        (q.Megabytes, 512, 512.0),
        (q.Megabytes, "2GB", 2000.0),
        (q.Megabytes, "64MiB", 67.108864),
        (q.Mbps, 1000, 1000),
        (q.Mbps, "100M", 100),
        (q.Mbps, "1G", 1000),
        (q.Mbps, "2.5G", 2500),
        (q.Mbps, "10Gbps", 10_000),
        (q.Slug, "no3-east", "no3-east"),
        (q.Host, "10.1.2.3", "10.1.2.3"),
        (q.Host, "fe80::1", "fe80::1"),
        (q.Host, "core-1.school.example", "core-1.school.example"),
        (q.Host, "localhost", "localhost"),
        (q.Name, "三年一班 (3-1)", "三年一班 (3-1)"),
        (q.LocalPath, "data/x", Path("/base/data/x")),
        (q.LocalPath, "/data/x", Path("/data/x")),
        (q.Port, 65535, 65535),
        (q.Ratio, 0, 0.0),
    ],
)
def test_good(kind: Any, value: object, result: object) -> None:
    assert read(kind, value) == result


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (q.Seconds, 0),
        (q.Seconds, -1),
        (q.Seconds, "10w"),
        (q.Seconds, "ten"),
        (q.Seconds, True),
        (q.Seconds, None),
        (q.Seconds, float("inf")),
        (q.Seconds, float("nan")),
        (q.Seconds, "1e3"),
        (q.Days, "-1d"),
        (q.Days, "0s"),
        (q.Megabytes, "10Gb"),
        (q.Megabytes, 0),
        (q.Mbps, 0),
        (q.Mbps, "1.5M"),
        (q.Mbps, "1T"),
        (q.Mbps, 2**32),
        (q.Slug, "No3"),
        (q.Slug, "a" * 33),
        (q.Slug, ""),
        (q.Slug, 3),
        (q.Host, "10.1.2"),
        (q.Host, "10.1.2.256"),
        (q.Host, "http://core"),
        (q.Host, "core:161"),
        (q.Host, "a..b"),
        (q.Host, "-a"),
        (q.Host, "core; reboot"),
        (q.Host, "a." * 200),
        (q.Name, ""),
        (q.Name, " x"),
        (q.Name, "a\nb"),
        (q.Name, "a\u202eb"),
        (q.Name, "a" * 121),
        (q.PortName, "Gi0/1\r\nreload"),
        (q.LocalPath, ""),
        (q.LocalPath, 7),
        (q.LocalPath, "a\0b"),
        (q.Port, 0),
        (q.Port, 65536),
        (q.Port, "161"),
        (q.Port, True),
        (q.Ratio, 1.1),
        (q.Flag, "yes"),
    ],
)
def test_bad(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        read(kind, value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert q.is_loopback(host) is loopback


@given(st.integers(1, 10**6))
def test_a_unit_scales_exactly(number: int) -> None:
    assert read(q.Seconds, f"{number}m") == number * 60
    assert read(q.Seconds, f"{number}s") == read(q.Seconds, number)
    if number <= 2_000_000:
        assert read(q.Mbps, f"{number}G") == number * 1000


def test_a_duration_on_the_command_line() -> None:
    assert q.duration_seconds("90s") == 90.0
    assert q.duration_seconds("1.5m") == 90.0
    with pytest.raises(ValueError, match=r"'w' is not known here: use one of ms, s, m"):
        q.duration_seconds("1w")
    with pytest.raises(ValueError, match=r"not a quantity: write a number, or a number with"):
        q.duration_seconds("soon")
