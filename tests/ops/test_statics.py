"""Static files: one hash in the path, cached for ever, packed, nothing outside the folder."""

import gzip
from pathlib import Path

import httpx
import pytest

from dashboards.ops.statics import FOLDER, FOR_EVER, StaticTree


async def test_a_file_is_cached_for_ever_and_packed(anyone: httpx.AsyncClient) -> None:
    tree = StaticTree()
    response = await anyone.get(tree.url("islands/main.js"))
    assert response.status_code == 200
    assert response.headers["cache-control"] == FOR_EVER
    assert response.headers["content-type"].startswith("text/javascript")
    assert response.headers["content-encoding"] == "gzip"
    assert response.content == (FOLDER / "islands" / "main.js").read_bytes()
    plain = await anyone.get(tree.url("mark.svg"), headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers


async def test_an_older_address_still_works_but_not_for_ever(anyone: httpx.AsyncClient) -> None:
    response = await anyone.get("/static/000000000000/css/site.css")
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    "path",
    [
        "x/nothing.js",
        "x/../site.py",
        "x/%2e%2e/site.py",
        "x/css",
        "x/vendor/.stamp",
        "x//etc/passwd",
    ],
)
async def test_there_is_nothing_else(anyone: httpx.AsyncClient, path: str) -> None:
    response = await anyone.get(f"/static/{path}", follow_redirects=True)
    assert response.status_code in {401, 404}


async def test_the_icon_needs_no_session(anyone: httpx.AsyncClient) -> None:
    response = await anyone.get("/favicon.ico", follow_redirects=True)
    assert response.headers["content-type"] == "image/svg+xml"


def test_any_change_changes_every_address(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1", encoding="utf-8")
    (tmp_path / "secret.key").write_text("1", encoding="utf-8")
    before = StaticTree(tmp_path)
    assert not before.has("secret.key")
    with pytest.raises(KeyError):
        before.url("b.js")
    (tmp_path / "a.js").write_text("2", encoding="utf-8")
    assert StaticTree(tmp_path).version != before.version
    (tmp_path / "a.js").rename(tmp_path / "b.js")
    assert StaticTree(tmp_path).has("b.js")
    assert gzip.decompress(gzip.compress(b"x", mtime=0)) == b"x"
