"""The one format journal, wire, store and evidence share (docs/internals.md, "Blocks").

Little-endian hosts only: the canonical bytes are the arrays as they lie in memory.
"""

import sys

if sys.byteorder != "little":  # pragma: no cover - no such machine is supported
    raise ImportError("TenOne needs a little-endian machine (x86-64 or ARM)")
