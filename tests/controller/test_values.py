"""Values of small columns."""

import pytest

from controller.state.columns import UNSAID
from controller.state.values import MAX_COUNT, NUMPY, count, flag
from tenone.vocabulary.metric import ColumnType


@pytest.mark.parametrize(("value", "code"), [(None, UNSAID), (0, 0), (1, 1), (200, 1)])
def test_flags(value: int | None, code: int) -> None:
    assert flag(value) == code


@pytest.mark.parametrize(
    ("value", "kept"), [(None, UNSAID), (0, 0), (7, 7), (2**64 - 1, MAX_COUNT)]
)
def test_counts(value: int | None, kept: int) -> None:
    assert count(value) == kept


def test_every_column_type_but_text_has_a_numpy_type() -> None:
    assert set(NUMPY) == {kind.code for kind in ColumnType if kind.width}
