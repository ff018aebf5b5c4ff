"""The gateway's own hardware addresses."""

from pathlib import Path

from agents.own_addresses import own_addresses


def test_every_interface_is_read_and_the_loopback_is_none(tmp_path: Path) -> None:
    for name, text in {"lo": "00:00:00:00:00:00", "eth0": "00:11:22:AA:BB:CC"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "address").write_text(f"{text}\n")
    (tmp_path / "gone").mkdir()
    assert own_addresses(tmp_path) == {"00:11:22:aa:bb:cc"}


def test_a_system_that_does_not_tell_has_none(tmp_path: Path) -> None:
    assert own_addresses(tmp_path / "nothing") == frozenset()
