"""Abuse case 13: names that climb out of a folder, in every route that has a path part.

Names of files are ours everywhere; what a caller says is looked up in a table or refused.
"""

import os
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from dashboards.ops.statics import FOLDER
from tenone.cli.docs import docs_directory, find_page
from tests.abuse.whole import EVERY, Whole, routes_of

SHARED = pytest.mark.asyncio(loop_scope="session")
TARGETS = ("etc/passwd", "pyproject.toml", "city/city.yaml", "city/records.db", "audit.py")
CLIMBS = (
    "../", "..\\", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%252f", "%252e%252e%252f", "..%c0%af",
    "..%ef%bc%8f", "....//", "..;/", "%2e%2e%5c", "..%00/", "./../", "/../", "x/../../",
    "\uff0e\uff0e/", "..%0d%0a/",
)  # fmt: skip
ABSOLUTE = (
    "/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd", "/proc/self/environ", "file:///etc/passwd",
    "C:\\Windows\\win.ini", "\\\\host\\share", "/etc/passwd%00.md", "index.md%00", "~root/.profile",
    "%2e", "..", ".", "", "/", "con", "nul",
)  # fmt: skip
MARKS = (b"root:", b"importlinter", b"schema_version: 1\ncity", b"SQLite format 3", b"APIRouter(")
"""What the files of :data:`TARGETS` hold."""


def names() -> list[str]:
    """Every climb, 1 to 12 deep, to every target; and absolute ones."""
    deep = [
        climb * depth + target for climb in CLIMBS for depth in (1, 3, 12) for target in TARGETS
    ]
    return [*deep, *ABSOLUTE]


@SHARED
async def test_no_route_serves_a_file_from_elsewhere(house: Whole) -> None:
    """Routes with a path part, pages and API: whatever is asked, no such file comes back."""
    asked = 0
    bad: list[str] = []
    texts = names()
    token = house.sign_in("account:wang", *EVERY)
    paths = sorted(
        {path for method, path in routes_of(house.app) if "{" in path and method == "GET"}
    )
    for number, template in enumerate(paths):
        # The routes that serve files get all of them, the others a share.
        share = 1 if template.startswith(("/static", "/handbook")) else 16
        for text in texts[number % share :: share]:
            target = quote(text, safe="/%\\;~:").encode()
            answer = await house.ask("GET", filled(template, target), token=token)
            asked += 1
            if answer.status >= 500 or any(mark in answer.body for mark in MARKS):
                bad.append(f"{answer.status} {template} {target!r}")
    print(f"\npaths: {asked} requests to {len(paths)} routes, files from elsewhere {len(bad)}")
    assert bad == []
    assert asked > 2 * len(texts)


@SHARED
async def test_what_is_there_is_served(house: Whole) -> None:
    """So that the test above cannot pass because nothing is."""
    token = house.sign_in("account:wang", *EVERY)
    page = await house.ask("GET", b"/handbook/index.md", token=token)
    assert page.status == 200
    file = await house.ask("GET", b"/static/x/mark.svg")
    assert (file.status, file.body) == (200, (FOLDER / "mark.svg").read_bytes())


def filled(template: str, target: bytes) -> bytes:
    """The path with ``target`` in its last part and ``x`` in the others."""
    parts = re.split(r"\{[^}]*\}", template)
    values = [b"x"] * (len(parts) - 2) + [target]
    made = parts[0].encode()
    for value, part in zip(values, parts[1:], strict=True):
        made += value + part.encode()
    return made


@pytest.mark.parametrize("name", ["link.md", "folder/secret.md", "../secret.md", "up.png"])
def test_a_link_in_the_handbook_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    root = tmp_path / "root"
    root.mkdir()
    outside.mkdir()
    (outside / "secret.md").write_text("secret")
    (tmp_path / "secret.md").write_text("secret")
    (root / "link.md").symlink_to(outside / "secret.md")
    (root / "up.png").symlink_to("/etc/passwd")
    (root / "folder").symlink_to(outside)
    (root / "here.md").write_text("here")
    assert find_page(root, name) is None
    assert find_page(root, "here.md") == root / "here.md"


def test_the_handbook_never_finds_a_file_outside() -> None:
    root = docs_directory()
    assert root is not None
    for text in names():
        if "\0" not in text:
            found = find_page(root, text.replace("%2e", ".").replace("%2f", "/"))
            assert found is None or found.is_relative_to(root.resolve())
    assert os.sep == "/"
