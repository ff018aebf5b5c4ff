"""The checker finds what it looks for: each rule meets one planted fault and one good case."""

import importlib.util
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load_checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_project", ROOT / "tests/check_project.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = load_checker()


def said(faults: Iterator[str]) -> str:
    return "\n".join(faults)


GOOD_LOCK = "a==1.0 ; python_version < '3.12' \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD_LOCK, ""),
        ("httpx==1 --hash=sha256:00\n", ""),
        ("a==1.0\n", "has no hash"),
        ("a>=1.0 --hash=sha256:00\n", "is not pinned"),
        ("--index-url https://index.example/simple\n" + GOOD_LOCK, "place to fetch from"),
        ("a @ https://index.example/a.whl --hash=sha256:00\n", "place to fetch from"),
        ("https://index.example/a.whl --hash=sha256:00\n", "place to fetch from"),
    ],
)
def test_python_locks(text: str, says: str) -> None:
    found = said(check.python_lock("x.lock", text))
    assert (says in found) if says else not found


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ('{"integrity": "sha512-x"}', ""),
        ("{}", "no integrity"),
        ('{"integrity": "sha512-x", "resolved": "https://r.example/a.tgz"}', "names the address"),
    ],
)
def test_npm_locks(entry: str, says: str) -> None:
    text = '{"packages": {"": {}, "node_modules/a": ' + entry + "}}"
    found = said(check.npm_lock("package-lock.json", text))
    assert (says in found) if says else not found


@pytest.mark.parametrize(
    ("name", "line", "says"),
    [
        ("a/b.py", "x = 1", ""),
        ("a/b.py", 'folder = "/tmp/x"', "belongs to one machine"),
        ("docs/a.md", "see /work/shared/x.md", "belongs to one machine"),
        ("docs/a.md", "see https://example.net/work/x and src/home/x", ""),
        ("tests/a.py", 'folder = "/tmp/x"', ""),
        ("a.toml", 'url = "https://pypi' + '.org/simple"', "registry host"),
        ("a/b.py", "import x  # noqa: F401", "needs its reason"),
        ("a/b.py", "import x  # noqa", "needs its reason"),
        ("a/b.py", "import x  # noqa: F401 - others take it from here", ""),
        ("a/b.py", "import x  # noqa: F401, E402 - others take it from here", ""),
        ("a/b.py", "x = 1  # type: ignore", "needs its reason"),
        ("a/b.py", "x = 1  # type: ignore[arg-type]", "needs its reason"),
        ("a/b.py", "x = 1  # type: ignore[arg-type]  # the stub is wrong", ""),
        ("a/b.py", "x = 1  # TO" + "DO later", "unfinished"),
        ("a/b.py", 'todo = "a list of things"', ""),
    ],
)
def test_words(name: str, line: str, says: str) -> None:
    found = said(check.words(name, f"\n{line}\n"))
    if says:
        assert found.startswith(f"{name}:2: ")
        assert says in found
    else:
        assert not found


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("[a](other.md)", False),
        ("[a](other.md#part)", False),
        ("[a](#part)", False),
        ("[a](https://example.net)", False),
        ("![a](../up.md)", False),
        ("[a](missing.md)", True),
        ("![a](missing.png)", True),
        ("```\n[a](missing.md)\n```", False),
    ],
)
def test_links(tmp_path: Path, text: str, broken: bool) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "other.md").touch()
    (tmp_path / "up.md").touch()
    assert bool(said(check.links(tmp_path, Path("docs/page.md"), text))) is broken


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1\n" * 450, ""),
        ("x = 1\n" * 451, "has 451 lines"),
        ("def f():\n" + "    x = 1\n" * 59, ""),
        ("def f():\n" + "    x = 1\n" * 60, "f has 61 lines"),
        ("class A:\n    async def g(self):\n" + "        x = 1\n" * 60, "g has 61 lines"),
    ],
)
def test_sizes(text: str, says: str) -> None:
    found = said(check.sizes("a/b.py", text))
    assert (says in found) if says else not found


CODE = "def f():\n    return 1\n"


@pytest.mark.parametrize(
    ("module", "code", "test", "test_code", "fault"),
    [
        ("agents/poller.py", CODE, "tests/agents/test_poller.py", "", False),
        ("drivers/wire/sparkplug/host.py", CODE, "tests/wire/test_sparkplug_host.py", "", False),
        ("agents/poller.py", CODE, "tests/snmp/test_poller.py", "", True),
        ("agents/poller.py", CODE, "tests/agents/test_x.py", "import agents.poller", False),
        ("agents/poller.py", CODE, "tests/agents/test_x.py", "from agents import poller", False),
        ("agents/poller.py", CODE, "tests/agents/test_x.py", "from agents.poller import f", False),
        ("agents/poller.py", CODE, "tests/agents/test_x.py", "from agents.polls import f", True),
        ("agents/names.py", "NAMES = (1, 2)\n", "tests/x.py", "", False),
        ("agents/__init__.py", CODE, "tests/agents/test_agents.py", "", False),
        ("agents/__init__.py", CODE, "tests/agents/test_x.py", "", True),
    ],
)
def test_every_module_has_a_test(
    module: str, code: str, test: str, test_code: str, fault: bool
) -> None:
    sources = {Path(module): code, Path(test): test_code}
    assert bool(said(check.tested(sources, sources))) is fault


def test_excuses_for_what_is_gone() -> None:
    assert "does not exist" in said(check.excuses([]))
    names = [*check.TESTED_ELSEWHERE, *check.LONG_MODULES, *check.LONG_FUNCTIONS]
    files = [Path(name.split(":")[0] + ("x.py" if name.endswith("/") else "")) for name in names]
    assert not said(check.excuses(files))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("# Changelog\n\n## Unreleased\n\n### Added\n", ""),
        ("# Changelog\n\n## 0.1.0\n", "no section"),
        ("# Changelog\n\n## Unreleased\n\n### Improved\n", "'Improved' is no category"),
    ],
)
def test_changelog(text: str, says: str) -> None:
    found = said(check.changelog(text))
    assert (says in found) if says else not found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('msgid "Uplink"\nmsgstr "上联"\n', ""),
        ('msgid "Uplink"\nmsgstr ""\n', "'Uplink' is not translated"),
        ('#, fuzzy\nmsgid "Uplink"\nmsgstr "上联"\n', "guessed"),
        ('msgid "%(n)s link"\nmsgid_plural "%(n)s links"\nmsgstr[0] ""\n', "is not translated"),
    ],
)
def test_translations(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "messages.po"
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    plural = '"Language: zh_CN\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    file.write_text(head + plural + text, encoding="utf-8")
    found = said(check.translations(file, "messages.po"))
    assert (says in found) if says else not found


def test_committed_files_are_those_git_would_keep(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("ignored/\n")
    (tmp_path / "ignored").mkdir()
    (tmp_path / "ignored" / "x.py").touch()
    (tmp_path / "三.py").touch()
    assert check.committed(tmp_path) == [Path(".gitignore"), Path("三.py")]
