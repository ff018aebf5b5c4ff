"""A layout says what the columns and rows of a block are; its name is its hash."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tenone.blocks.columns import ColumnError
from tenone.vocabulary.metric import Metric
from tenone.vocabulary.metrics import METRICS

LAYOUT_FORMAT = 1
MAX_ROWS = 65_536
MAX_LAYOUT_BYTES = 16 * 1024 * 1024


class LayoutError(ValueError):
    """A layout document that is malformed or names a metric this version does not know."""


@dataclass(frozen=True)
class Layout:
    """Ordered columns and ordered row keys (port names, device serials) of a stream of blocks.

    ``stream`` names the kind of sweep: ``port-state``, ``port-counters``, ...
    A new row order is a new layout, because it has another hash.
    """

    stream: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]

    def __post_init__(self) -> None:
        unknown = [name for name in self.columns if name not in METRICS]
        if unknown:
            raise LayoutError(f"layout {self.stream}: no metric is called {', '.join(unknown)}")
        if len(self.rows) > MAX_ROWS:
            raise LayoutError(f"layout {self.stream}: {len(self.rows)} rows, at most {MAX_ROWS}")
        if len(set(self.columns)) != len(self.columns) or len(set(self.rows)) != len(self.rows):
            raise LayoutError(f"layout {self.stream}: a column or a row key occurs twice")

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The catalogue entries of the columns, in order."""
        return tuple(METRICS[name] for name in self.columns)

    @cached_property
    def body_bytes(self) -> int | None:
        """Bytes of a block's body, bitmaps and data; None where there is a column of text."""
        widths = [metric.type.width for metric in self.metrics]
        bitmap = (len(self.rows) + 7) // 8
        return sum(bitmap + width * len(self.rows) for width in widths) if all(widths) else None

    @cached_property
    def document(self) -> bytes:
        """Canonical JSON (UTF-8, sorted keys, no spaces); what the hash is over."""
        body = {
            "columns": [
                {"name": metric.name, "type": metric.type.name.lower(), "unit": metric.unit}
                for metric in self.metrics
            ],
            "format": LAYOUT_FORMAT,
            "rows": list(self.rows),
            "stream": self.stream,
        }
        text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return text.encode("utf-8", "surrogatepass")

    @cached_property
    def id(self) -> bytes:
        """SHA-256 of :attr:`document`, 32 bytes."""
        return hashlib.sha256(self.document).digest()

    @classmethod
    def parse(cls, document: bytes) -> "Layout":
        """Read a layout document; raises :class:`LayoutError` unless it is canonical."""
        if len(document) > MAX_LAYOUT_BYTES:
            raise LayoutError(f"layout document of {len(document)} bytes is too large")
        try:
            body = json.loads(document)
            layout = cls(
                stream=_text(body["stream"]),
                columns=tuple(_text(column["name"]) for column in body["columns"]),
                rows=tuple(_text(row) for row in body["rows"]),
            )
        except LayoutError:
            raise
        except (ValueError, KeyError, TypeError, RecursionError, ColumnError) as error:
            raise LayoutError(f"layout document is malformed: {error!r}") from error
        if layout.document != document:
            raise LayoutError(
                f"layout {layout.stream}: the document is not in canonical form, or its units "
                "or types differ from this version's vocabulary"
            )
        return layout


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise LayoutError(f"layout document holds {value!r} where text belongs")
    return value


def layout(stream: str, columns: Sequence[str], rows: Sequence[str]) -> Layout:
    """Build a layout from any sequences."""
    return Layout(stream, tuple(columns), tuple(rows))
