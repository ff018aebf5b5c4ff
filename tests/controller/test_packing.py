import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.store.packing import PackingError, pack, unpack


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40),
    st.sampled_from(["<i8", "<f8", "|u1", "<i4", "<f4"]),
)
def test_what_is_packed_comes_back(values: list[int], kind: str) -> None:
    column = np.array(values, np.int64).astype(kind)
    again = unpack(pack({"a": column, "b": column[::-1].copy()}))
    assert again["a"].dtype == column.dtype
    assert again["a"].tobytes() == column.tobytes()
    assert list(unpack(pack({"a": column, "b": column}), frozenset({"b"}))) == ["b"]


def test_a_column_of_one_value_costs_nothing() -> None:
    assert len(pack({"a": np.full(100_000, 7, np.int64)})) < 64


@pytest.mark.parametrize("at", [0, 5, 8, 12, 20, 30])
def test_damage_never_gives_other_columns_silently(at: int) -> None:
    data = bytearray(pack({"abc": np.arange(50, dtype=np.int64)}))
    for cut in (bytes(data[:at]), bytes(data) + b"x"):
        with pytest.raises(PackingError):
            unpack(cut)


def test_text_is_refused() -> None:
    with pytest.raises(ValueError, match="no plain number"):
        pack({"a": np.array(["x"])})
