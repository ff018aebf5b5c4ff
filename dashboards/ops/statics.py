"""Static files under one content hash, so that they can be cached for ever.

The hash is over the whole tree and stands in the path (``/static/<hash>/...``), so ES
modules that import each other by relative names stay inside one version.
"""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

FOLDER = Path(__file__).resolve().parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
PACKED = frozenset({".css", ".js", ".mjs", ".svg", ".txt"})


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    packed: bytes | None
    type: str


class StaticTree:
    """All files of a folder, in memory, some 2 MB with their gzip forms."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files: dict[str, _File] = {}
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*")):
            kind = TYPES.get(path.suffix)
            if kind is None or not path.is_file():
                continue
            name = path.relative_to(folder).as_posix()
            body = path.read_bytes()
            digest.update(name.encode() + b"\0" + hashlib.sha256(body).digest())
            packed = gzip.compress(body, 6, mtime=0) if path.suffix in PACKED else None
            self._files[name] = _File(body, packed, kind)
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """The address of a file; raises KeyError for one that is not there."""
        if name not in self._files:
            raise KeyError(f"no static file {name!r}")
        return f"/static/{self.version}/{name}"

    def has(self, name: str) -> bool:
        """Whether there is such a file; vendor files may be missing before ``assets`` ran."""
        return name in self._files

    async def serve(self, request: Request) -> Response:
        """One file. Another version's address gets today's file, but not for ever."""
        name = PurePosixPath(request.path_params["name"]).as_posix()
        file = self._files.get(name)
        if file is None:
            return PlainTextResponse("There is no such file.\n", 404)
        current = request.path_params["version"] == self.version
        headers = {
            "cache-control": FOR_EVER if current else "no-cache",
            "content-type": file.type,
            "vary": "Accept-Encoding",
        }
        if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, headers=headers | {"content-encoding": "gzip"})
        return Response(file.body, headers=headers)
