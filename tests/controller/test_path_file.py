"""The file of loss windows: what is written is read, and what is damaged is refused."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.sla.loss_window import LONGEST
from controller.state.path_file import HEADLINE, BadWindowsError, Snapshot, decode, encode
from controller.state.paths import OCTETS, Windows
from controller.state.probe_streams import PathId


def snapshot(count: int = 2) -> Snapshot:
    rng = np.random.default_rng(count)
    return Snapshot(
        written_ns=1_800_000_000 * 10**9,
        paths=[PathId(f"no1/c{number}", f"t-c{number}", 46) for number in range(count)],
        windows=Windows(
            lost=rng.integers(0, 256, (count, OCTETS), np.uint8),
            next=rng.integers(0, LONGEST, count),
            filled=rng.integers(0, LONGEST + 1, count),
            run=rng.integers(0, LONGEST + 1, count),
            heard_ns=rng.integers(-(2**62), 2**62, count),
        ),
        chains={("no1", "probe-samples"): (bytes(range(16)), 7)},
    )


@given(st.integers(0, 20))
def test_round_trip(count: int) -> None:
    made = snapshot(count)
    read = decode(encode(made))
    assert (read.written_ns, read.paths, read.chains) == (
        made.written_ns,
        made.paths,
        made.chains,
    )
    for name in ("lost", "next", "filled", "run", "heard_ns"):
        np.testing.assert_array_equal(getattr(read.windows, name), getattr(made.windows, name))


def test_a_window_takes_less_than_three_hundred_octets() -> None:
    one, two = len(encode(snapshot(1))), len(encode(snapshot(2)))
    assert two - one < 310, "with its names"


@given(st.data())
def test_one_octet_that_differs_is_refused(data: st.DataObject) -> None:
    whole = bytearray(encode(snapshot()))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadWindowsError):
        decode(bytes(whole))


@given(st.integers(0, 600))
def test_a_file_that_was_cut_is_refused(length: int) -> None:
    whole = encode(snapshot())
    with pytest.raises(BadWindowsError):
        decode(whole[: min(length, len(whole) - 1)])


def signed(body: bytes) -> bytes:
    whole = HEADLINE + body
    return whole + hashlib.sha256(whole).digest()


@given(st.binary(max_size=200))
def test_noise_with_a_good_checksum_is_refused(body: bytes) -> None:
    with pytest.raises(BadWindowsError):
        decode(signed(body))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b'"longest":2120', b'"longest":2048', "hold 2048 packets"),
        (b'"paths":[[', b'"paths":[["no1/c9","t",0],[', "octets where 3 windows"),
    ],
)
def test_what_does_not_fit_is_a_sentence(old: bytes, new: bytes, why: str) -> None:
    whole = encode(snapshot())[: -hashlib.sha256().digest_size]
    start = len(HEADLINE)
    length = int.from_bytes(whole[start : start + 4], "little")
    header = whole[start + 4 : start + 4 + length].replace(old, new)
    body = len(header).to_bytes(4, "little") + header + whole[start + 4 + length :]
    with pytest.raises(BadWindowsError, match=why):
        decode(signed(body))


def test_numbers_no_window_can_have_are_refused() -> None:
    made = snapshot()
    made.windows.next[0] = LONGEST
    with pytest.raises(BadWindowsError, match="'next' of a window is more than 2119"):
        decode(encode(made))
