"""The receipt: ``Node Control/Durable Through`` (docs/internals.md, "Receipt").

A DataSet with one row a class: everything of that journal and class up to ``seq`` is durable
at the controller, so the agent may forget it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from drivers.wire.sparkplug.codec import DataSet, Metric
from drivers.wire.sparkplug.schema import DataType
from tenone.blocks.block import ID_BYTES
from tenone.vocabulary.states import PriorityClass

DURABLE_THROUGH = "Node Control/Durable Through"

_COLUMNS = ("journal", "class", "seq")
_TYPES = (DataType.STRING, DataType.UINT8, DataType.UINT64)
_JOURNAL = re.compile(rf"[0-9a-f]{{{2 * ID_BYTES}}}")
_MAX_SEQ = 2**64 - 1


class ReceiptError(ValueError):
    """A receipt metric that is not the table it should be."""


@dataclass(frozen=True, slots=True, order=True)
class Durable:
    """One row: all blocks of ``priority`` in ``journal_id`` up to and with ``seq`` are durable."""

    journal_id: bytes
    priority: PriorityClass
    seq: int

    def __post_init__(self) -> None:
        if len(self.journal_id) != ID_BYTES:
            raise ReceiptError(f"a journal id has {ID_BYTES} bytes, not {len(self.journal_id)}")
        if not 0 <= self.seq <= _MAX_SEQ:
            raise ReceiptError(f"sequence number {self.seq} is out of range")


def receipt_metric(rows: Iterable[Durable], *, now_ms: int) -> Metric:
    """The metric of an NCMD (commands name their metrics)."""
    table = DataSet(
        _COLUMNS,
        _TYPES,
        tuple((row.journal_id.hex(), int(row.priority), row.seq) for row in rows),
    )
    return Metric(name=DURABLE_THROUGH, datatype=DataType.DATASET, value=table, timestamp_ms=now_ms)


def receipt_declaration(*, now_ms: int) -> Metric:
    """The same metric as NBIRTH declares it: null, no alias."""
    return Metric(name=DURABLE_THROUGH, datatype=DataType.DATASET, timestamp_ms=now_ms)


def read_receipt(metric: Metric) -> tuple[Durable, ...]:
    """The rows of a receipt; raises :class:`ReceiptError`."""
    table = metric.value
    if not isinstance(table, DataSet) or table.columns != _COLUMNS or table.types != _TYPES:
        raise ReceiptError(f"{DURABLE_THROUGH} is not a table of journal, class and seq")
    found = []
    for journal, number, seq in table.rows:
        if not isinstance(journal, str) or not _JOURNAL.fullmatch(journal):
            raise ReceiptError(f"{DURABLE_THROUGH} names the journal {journal!r}, which is no id")
        try:
            priority = PriorityClass(int(number))
        except ValueError as error:
            raise ReceiptError(f"{DURABLE_THROUGH} names class {number!r}") from error
        found.append(Durable(bytes.fromhex(journal), priority, int(seq)))
    return tuple(found)
