import pytest

from tenone.cli._places import network, place, shared_key, written


@pytest.mark.parametrize(
    ("text", "default", "found"),
    [
        ("10.0.0.1:862", None, ("10.0.0.1", 862)),
        ("10.0.0.1", 862, ("10.0.0.1", 862)),
        ("core.example.cn", 862, ("core.example.cn", 862)),
        ("[fd00::1]:99", None, ("fd00::1", 99)),
        ("[fd00::1]", 862, ("fd00::1", 862)),
        ("fd00::1", 862, ("fd00::1", 862)),
        ("127.0.0.1:0", 862, ("127.0.0.1", 0)),
    ],
)
def test_a_place(text: str, default: int | None, found: tuple[str, int]) -> None:
    assert place(text, default) == found
    assert place(written(*found)) == found


@pytest.mark.parametrize("text", ["", ":862", "10.0.0.1", "h:x", "h:65536", "h:-1", "[]:5"])
def test_no_place(text: str) -> None:
    with pytest.raises(ValueError, match="is no place: write HOST:PORT"):
        place(text)


def test_networks_and_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(network("10.0.0.0/8")) == "10.0.0.0/8"
    with pytest.raises(ValueError, match="'x' is no network"):
        network("x")
    monkeypatch.setenv("PROBE_KEY", "s3cret")
    assert shared_key("env:PROBE_KEY") == b"s3cret"
    with pytest.raises(ValueError, match="never the secret itself: write 'env:NAME'"):
        shared_key("s3cret")
