"""The package that is built holds what the product needs, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"tenone", "dashboards", "firmware_sims", "controller", "agents", "drivers"}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("tenone-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_it_holds_the_packages_and_only_them(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == PACKAGES
    assert not [name for name in names if "node_modules" in name or name.endswith((".pyc", ".o"))]


@pytest.mark.parametrize("folder", ["docs", "dashboards", "drivers"])
def test_it_holds_every_file_that_git_keeps(names: set[str], folder: str) -> None:
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", folder],
        capture_output=True,
        check=True,
        text=True,
    )
    kept = {name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()}
    places = {
        name.replace("docs/", "dashboards/ops/docs/", 1) if folder == "docs" else name
        for name in kept
    }
    assert places
    assert places <= names


def test_it_holds_the_pages_third_party_files_where_they_are_fetched(names: set[str]) -> None:
    vendor = ROOT / "dashboards" / "ops" / "static" / "vendor"
    if not vendor.is_dir():
        pytest.skip("the third-party files are not fetched; ./run test fetches them")
    for file in vendor.iterdir():
        assert str(file.relative_to(ROOT)) in names
