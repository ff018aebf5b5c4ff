"""The installer of third-party files, with programs of the test's own in place of npm."""

import io
import json
import re
import stat
import sys
from pathlib import Path

import pytest

from dashboards.ops import assets

LOCK = b'{"lock": 1}'
FILES = {"a.js": "a/dist/a.min.js", "a.LICENSE.txt": "a/LICENSE"}


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    folder = tmp_path / "node_modules"
    for name, source in FILES.items():
        file = folder / source
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"content of {name}")
    return folder


def test_what_was_installed_is_complete(tmp_path: Path, modules: Path) -> None:
    vendor = tmp_path / "static" / "vendor"
    assert not assets.is_complete(vendor, LOCK, FILES)
    assets.install(vendor, modules, LOCK, FILES)
    assert assets.is_complete(vendor, LOCK, FILES)
    assert (vendor / "a.js").read_text() == "content of a.js"
    assert sorted(f.name for f in vendor.iterdir()) == [".stamp", "a.LICENSE.txt", "a.js"]


@pytest.mark.parametrize("damage", ["missing", "changed", "lock", "list", "stamp"])
def test_what_differs_is_incomplete_and_mended(tmp_path: Path, modules: Path, damage: str) -> None:
    vendor = tmp_path / "vendor"
    lock, files = LOCK, dict(FILES)
    assets.install(vendor, modules, lock, files)
    match damage:
        case "missing":
            (vendor / "a.js").unlink()
        case "changed":
            (vendor / "a.js").write_text("content of a.j5")
        case "lock":
            lock = b'{"lock": 2}'
        case "list":
            files = {"b.js": "a/dist/a.min.js"}
        case "stamp":
            (vendor / ".stamp").unlink()
    assert not assets.is_complete(vendor, lock, files)
    assets.install(vendor, modules, lock, files)
    assert assets.is_complete(vendor, lock, files)
    assert {f.name for f in vendor.iterdir()} == {".stamp", *files}


def test_an_interrupted_installation_is_not_complete(tmp_path: Path, modules: Path) -> None:
    vendor = tmp_path / "vendor"
    assets.install(vendor, modules, LOCK, FILES)
    (modules / FILES["a.LICENSE.txt"]).unlink()
    with pytest.raises(assets.AssetError, match="holds no a/LICENSE"):
        assets.install(vendor, modules, LOCK, FILES)
    assert not assets.is_complete(vendor, LOCK, FILES)


def program(folder: Path, name: str, body: str) -> Path:
    """An executable Python script."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!{sys.executable}\n{body}")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


NPM = """
import os, sys
if sys.argv[1:] == ["--version"]:
    print("{version}")
elif sys.argv[1] == "ci":
    assert "--ignore-scripts" in sys.argv, "scripts of strangers must not run"
    for path in {files!r}:
        os.makedirs("node_modules/" + os.path.dirname(path), exist_ok=True)
        open("node_modules/" + path, "w").write(path)
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The installer's own places, moved into the test's directory; nothing on PATH."""
    here = tmp_path / "ops"
    here.mkdir()
    for name in ("package.json", "package-lock.json"):
        (here / name).write_bytes((assets.HERE / name).read_bytes())
    monkeypatch.setattr(assets, "HERE", here)
    monkeypatch.setattr(assets, "VENDOR", here / "static" / "vendor")
    monkeypatch.setattr(assets, "DEV_VENDOR", here / "node_modules" / "axe-core")
    monkeypatch.setattr(assets, "NODE_LOCK", tmp_path / "no-such.lock")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return here


@pytest.mark.parametrize("arguments", [[], ["--dev"]])
def test_npm_on_path_is_used(house: Path, arguments: list[str]) -> None:
    files = [*assets.FILES.values(), *assets.DEV_FILES.values()]
    program(house.parent / "bin", "npm", NPM.format(version="9.2.0", files=files))
    assert assets.main(arguments) == 0
    assert {f.name for f in assets.VENDOR.iterdir()} == {".stamp", *assets.FILES}
    assert assets.DEV_VENDOR.exists() == bool(arguments)
    (house.parent / "bin" / "npm").unlink()
    assert assets.main(arguments) == 0, "what is complete needs no npm"


@pytest.mark.parametrize(
    ("npm", "says"),
    [
        (None, " -m pip failed"),
        (NPM.format(version="6.14.4", files=[]), " -m pip failed"),
        ("import sys; sys.exit(1)", " -m pip failed"),
        (
            "import sys\nprint('10.0.0')\nif 'ci' in sys.argv: sys.exit('x\\nnpm error code E1')",
            "npm ci --ignore-scripts failed (npm error code E1)",
        ),
        (NPM.format(version="10.0.0", files=["echarts/LICENSE"]), "the npm package holds no"),
    ],
)
def test_what_cannot_be_had_is_one_sentence(
    house: Path, capsys: pytest.CaptureFixture[str], npm: str | None, says: str
) -> None:
    if npm is not None:
        program(house.parent / "bin", "npm", npm)
    assert assets.main([]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "fetching the pages' third-party files ..."
    assert says in said[1]
    assert "run the command again" in said[1]
    assert len(said) == 2
    assert not assets.is_complete(assets.VENDOR, (house / "package-lock.json").read_bytes(), {})


def test_manifest_and_lock_agree() -> None:
    manifest = json.loads((assets.HERE / "package.json").read_text())
    lock = json.loads((assets.HERE / "package-lock.json").read_text())
    root = lock["packages"][""]
    assert root["dependencies"] == manifest["dependencies"]
    assert root["devDependencies"] == manifest["devDependencies"]
    for version in {**manifest["dependencies"], **manifest["devDependencies"]}.values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), "pinned exactly"


def test_every_package_that_is_served_brings_its_licence() -> None:
    lock = json.loads((assets.HERE / "package-lock.json").read_text())
    packages = {
        name.removeprefix("node_modules/")
        for name, entry in lock["packages"].items()
        if name and not entry.get("dev")
    }
    licensed = {path.split("/")[0] for path in assets.FILES.values() if "LICENSE" in path}
    assert licensed == packages


def test_the_stamp_lists_every_file(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_bytes(b"")
    text = assets.stamp(tmp_path, b"", FILES)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert io.StringIO(text).readlines() == [
        f"lock {empty}\n",
        f"a.LICENSE.txt {empty}\n",
        f"a.js {empty}\n",
    ]
