"""Looks at the project itself: locks, links, sizes, tests, changelog, translations.

Run by ``./run check``; every function yields one sentence a fault. Exit code 1 if any.
"""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("tenone", "dashboards", "firmware_sims", "controller", "agents", "drivers")
MAX_MODULE_LINES = 450
MAX_FUNCTION_LINES = 60

LONG_MODULES: dict[str, str] = {}
"""Module -> why it may be longer."""

LONG_FUNCTIONS: dict[str, str] = {
    "controller/store/migrations/versions/v0001_records.py:upgrade": "the tables, one by one",
    "tenone/cli/sim.py:board": "its lines are the command's options",
    "tenone/cli/sim.py:switch": "its lines are the command's options",
}
"""``module:function`` -> why it may be longer."""

TESTED_ELSEWHERE: dict[str, str] = {
    "controller/configurations/tables.py": "compared with migrations in test_records.py",
    "controller/enforcement/asking.py": "every way in tests/enforcement/test_room.py",
    "controller/enforcement/following.py": "every step in tests/enforcement/test_room.py",
    "controller/enforcement/gate.py": "stops, caps and turns in tests/enforcement/test_room.py",
    "controller/enforcement/ports.py": "protocols only; filled in controller/repairs.py",
    "controller/enforcement/progress.py": "every end in tests/enforcement/test_room.py",
    "controller/enforcement/tables.py": "compared with migrations in test_records.py",
    "controller/repairs.py": "real rooms in tests/enforcement/test_room.py",
    "controller/rooms.py": "every controller is made by it: tests/controller/test_service.py",
    "controller/trust/approval_rows.py": "there and back in tests/trust/test_approval_records.py",
    "firmware_sims/switch/console/": "test_command_lines.py, test_console_front.py",
    "firmware_sims/switch/settings.py": "by every dialect in test_command_lines.py",
    "firmware_sims/switch/store.py": "by every dialect in test_command_lines.py",
    "firmware_sims/switch/timers.py": "trials and negotiations in test_command_lines.py",
    "firmware_sims/switch/rewire.py": "right and wrong in tests/firmware_sims/test_wiring.py",
    "controller/trust/keys/room.py": "with a whole controller in tests/abuse/test_openapi.py",
    "controller/trust/keys/tables.py": "compared with migrations in test_records.py",
    "drivers/cli/manners.py": "through the pipe in tests/switch_cli/test_pipe.py",
    "tenone/cli/_https.py": "as a process in tests/cli/test_https.py",
    "tenone/cli/_users.py": "by the commands in tests/cli/test_user.py and test_user_keys.py",
    "controller/api/machine_services.py": "over HTTP in tests/trust/test_machines_over_http.py",
    "controller/trust/machine_tables.py": "compared with migrations in test_records.py",
    "controller/trust/machine_records.py": "by the desk in tests/trust/test_machine_desk.py",
    "controller/trust/registry.py": "by the desk in tests/trust/test_machine_desk.py",
    "controller/trust/crl.py": "by the desk in tests/trust/test_machine_desk.py",
    "controller/trust/papers.py": "by the desk in tests/trust/test_machine_desk.py",
    "controller/trust/offline.py": "by the room in tests/trust/test_machine_room.py",
    "tenone/cli/enrol_authority.py": "by the command in tests/cli/test_enrol.py",
    "tenone/cli/enrol_city.py": "by the command in tests/cli/test_enrol.py",
    "controller/api/routers/": "every resource over HTTP in tests/api/test_app.py",
    "controller/store/migrations/": "tests/controller/test_records.py compares with the tables",
    "controller/arrays.py": "names of types only",
    "controller/agent_port.py": "a protocol only; filled by controller/asking.py",
    "controller/asking.py": "all its outcomes in tests/controller/test_service.py",
    "controller/api/incident_schemas.py": "over HTTP in tests/incidents/test_api.py",
    "controller/api/incident_services.py": "over HTTP in tests/incidents/test_api.py",
    "controller/api/metrics_incidents.py": "over HTTP in tests/incidents/test_api.py",
    "controller/api/office_services.py": "over HTTP in tests/incidents/test_api.py",
    "controller/host_state.py": "kept, damaged and missing in tests/controller/test_service.py",
    "controller/incidents/views.py": "over HTTP in tests/incidents/test_api.py",
    "controller/incidents/tickets.py": "tests/cli/test_incidents.py, tests/incidents/test_api.py",
    "controller/incidents/tables.py": "compared with migrations in test_records.py",
    "controller/incidents/records.py": "restarts in tests/incidents/test_room.py",
    "controller/incidents/places.py": "from sweeps in tests/incidents/test_room.py",
    "controller/incidents/parents.py": "every rule in tests/incidents/test_engine.py",
    "controller/incidents/office.py": "over HTTP in tests/incidents/test_api.py",
    "controller/incidents/notices.py": "over a socket in tests/incidents/test_telling.py",
    "controller/incidents/model.py": "every rule in tests/incidents/test_engine.py",
    "controller/incidents/hours.py": "with a calendar in tests/incidents/test_make.py",
    "controller/incidents/make.py": "every room test is made by it",
    "controller/incidents/maintenance.py": "in test_engine.py and test_room.py of tests/incidents",
    "controller/incidents/facts.py": "from sweeps in tests/incidents/test_room.py",
    "controller/incidents/duty.py": "over HTTP in tests/incidents/test_api.py",
    "controller/incidents/desk.py": "by the room in test_room.py and over HTTP in test_api.py",
    "controller/incidents/case.py": "every rule in tests/incidents/test_engine.py",
    "controller/incidents/acts.py": "by two people at once in tests/incidents/test_room.py",
    "controller/api/schemas_reports.py": "fields only; answers in tests/api/test_reports.py",
    "controller/evidence/answers.py": "in a running controller: tests/evidence/test_room.py",
    "controller/evidence/bundle.py": "every region flipped in tests/evidence/test_verify.py",
    "controller/evidence/columns.py": "equal to a count in tests/evidence/test_recorder.py",
    "controller/evidence/day.py": "equal to a count in tests/evidence/test_recorder.py",
    "controller/evidence/days.py": "equal to a count in tests/evidence/test_recorder.py",
    "controller/evidence/desk.py": "reports and bundles in tests/evidence/test_verify.py",
    "controller/evidence/inputs.py": "there and back in tests/evidence/test_verify.py",
    "controller/evidence/opening.py": "by the command in tests/cli/test_report.py",
    "controller/evidence/promises.py": "from records in tests/cli/test_report.py",
    "controller/evidence/prove.py": "every fault in tests/evidence/test_verify.py",
    "controller/evidence/report.py": "recomputed in tests/evidence/test_verify.py",
    "controller/store/gap.py": "gap blocks in tests/controller/test_blocks.py",
    "controller/store/retention.py": "days, bound and clocks in tests/controller/test_blocks.py",
    "controller/store/rollup_rows.py": "there and back in tests/controller/test_rollups.py",
    "dashboards/reports/html.py": "tests/reports/test_pages.py",
    "dashboards/reports/pdf.py": "tests/reports/test_pages.py",
    "dashboards/reports/sheets.py": "by the command in tests/cli/test_report.py",
    "tenone/cli/report_sheets.py": "with the others in tests/cli/test_report.py",
    "tenone/cli/verify.py": "with the report in tests/cli/test_report.py",
    "tenone/vocabulary/evidence.py": "with the catalogue in tests/vocabulary/test_metrics.py",
    "controller/house.py": "a list of fields; rooms meet it in tests/controller/test_service.py",
    "controller/minutes/tables.py": "packed rows in tests/minutes/test_kept.py",
    "controller/api/metrics_minutes.py": "every family in tests/api/test_class_minutes.py",
    "controller/api/schemas_minutes.py": "holds the answers in tests/api/test_class_minutes.py",
    "controller/minutes/views.py": "fields only; made in tests/minutes/test_room.py",
    "drivers/cli/dialects/bracketed.py": "by three vendors, test_on_simulators.py and their own",
    "drivers/cli/dialects/common.py": "by every vendor, tests/switch_cli/test_on_simulators.py",
    "drivers/cli/dialects/vrp.py": "by both versions, tests/switch_cli/test_huawei_vrp5.py",
    "drivers/snmp/pending.py": "both kinds in tests/snmp/test_client.py and test_layout.py",
    "drivers/snmp/reading.py": "fields only; its makers are tested",
    "tenone/cli/__main__.py": "starts main.run, which the whole-program tests start",
    "dashboards/ops/keeping_phrases.py": "every one said in tests/ops/test_keeping_words.py",
    "dashboards/ops/machine_pages.py": "by the pages in tests/ops/test_machine_site.py",
    "dashboards/ops/sections.py": "every role's menu in tests/ops/test_start_site.py",
    "dashboards/ops/start_pages.py": "by the page in tests/ops/test_start_site.py",
    "dashboards/ops/incident_phrases.py": "every one said in tests/ops/test_incident_words.py",
    "tenone/cli/sim.py": "as a process in tests/firmware_sims/test_sim_command.py",
    "tenone/cli/service_units.py": "every unit in tests/cli/test_units.py",
    "agents/pending_json.py": "with the file it is for in tests/agents/test_pending.py",
    "agents/polled.py": "by whole agents in tests/agents/test_service.py",
    "agents/repair_back.py": "by whole repairs in tests/agents/test_repair.py",
    "agents/repair_guards.py": "every rule by a plan in tests/agents/test_workshop.py",
    "agents/repair_proof.py": "by whole repairs in tests/agents/test_repair.py",
    "agents/repair_typist.py": "by whole repairs in tests/agents/test_repair.py",
    "agents/repair_windows.py": "over restarts in tests/agents/test_repair.py",
    "agents/repairs.py": "as every test in tests/agents/test_repair.py makes it",
    "tenone/config/egress.py": "whole files in tests/agents/test_egress.py",
    "tenone/config/base.py": "whole files in tests/config/test_load.py",
    "tenone/config/city.py": "whole files in tests/config/test_load.py",
    "tenone/config/escalation.py": "by its policy in tests/incidents/test_escalation.py",
    "tenone/config/explain.py": "every sentence in tests/config/test_load.py",
    "tenone/config/refusal.py": "every sentence in tests/config/test_load.py",
    "tenone/vocabulary/metric.py": "with the catalogue in tests/vocabulary/test_metrics.py",
    "tenone/config/school.py": "whole files in tests/config/test_load.py",
}
"""Module or folder -> where it is tested instead of in a file named after it."""

REGISTRY_HOST = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.(npmjs\.org|npmmirror\.com|yarnpkg\.com)"
)
MACHINE_PATH = re.compile(r"(?<![\w./<~-])/(?:tmp|work|root|home)/[\w.]")
MARKDOWN_LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\(([^)\s]+)\)")
UNARGUED = re.compile(
    r"#\s*noqa(?!: [A-Z0-9]+(, ?[A-Z0-9]+)* - \S)|#\s*type:\s*ignore(?!\[[\w, -]+\]\s+# \S)"
)
UNFINISHED = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".js", ".css", ".html", ".json", ".po"}


def committed(root: Path) -> list[Path]:
    """Every file git knows or would add, as paths relative to ``root``."""
    options = ["--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(
        ["git", "-C", str(root), "ls-files", *options], capture_output=True, check=True, text=True
    )
    names = (name for name in listing.stdout.split("\0") if name)
    return sorted(Path(name) for name in names if (root / name).is_file())


def modules(files: Iterable[Path]) -> list[Path]:
    """The Python modules of the product."""
    return [file for file in files if file.suffix == ".py" and file.parts[0] in PACKAGES]


def python_lock(name: str, text: str) -> Iterator[str]:
    """A requirements file pins versions and hashes, and names no place to fetch from."""
    logical = re.sub(r"\\\n", " ", text)
    for line in filter(None, map(str.strip, logical.splitlines())):
        requirement = line.split(";")[0].split()[0]
        if line.startswith(("-", "http://", "https://")) or "://" in line or " @ " in line:
            yield f"{name}: {line[:80]!r} names a place to fetch from"
        elif "==" not in requirement:
            yield f"{name}: {requirement} is not pinned with =="
        elif "--hash=sha256:" not in line:
            yield f"{name}: {requirement} has no hash"


def npm_lock(name: str, text: str) -> Iterator[str]:
    """A package-lock.json has an integrity for every package, and no address."""
    for package, entry in json.loads(text)["packages"].items():
        if package and "integrity" not in entry:
            yield f"{name}: {package} has no integrity"
        if "resolved" in entry:
            yield f"{name}: {package} names the address {entry['resolved']}"


def words(name: str, text: str) -> Iterator[str]:
    """No registry, no path of somebody's machine, nothing unfinished, no unargued exception."""
    tests = name.startswith("tests/")
    for number, line in enumerate(text.splitlines(), 1):
        if not tests and REGISTRY_HOST.search(line):
            yield f"{name}:{number}: names a registry host"
        if not tests and (found := MACHINE_PATH.search(line)):
            yield f"{name}:{number}: the path {found[0]}... belongs to one machine"
        if name.endswith(".py") and not name.endswith("check_project.py"):
            if UNARGUED.search(line):
                yield f"{name}:{number}: this exception to lint or types needs its reason beside it"
            if UNFINISHED.search(line):
                yield f"{name}:{number}: unfinished work is marked here"


def links(root: Path, name: Path, text: str) -> Iterator[str]:
    """Every relative link of a page leads to a file of the checkout."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for target in MARKDOWN_LINK.findall(prose):
        path = target.split("#")[0]
        if re.match(r"[a-z]+:", target) or not path:
            continue
        if not (root / name.parent / path).exists():
            yield f"{name}: the link {target} leads nowhere"


def sizes(name: str, text: str) -> Iterator[str]:
    """Long modules and functions are argued for, or split."""
    lines = text.count("\n")
    if lines > MAX_MODULE_LINES and name not in LONG_MODULES:
        yield f"{name} has {lines} lines (at most {MAX_MODULE_LINES})"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES and f"{name}:{node.name}" not in LONG_FUNCTIONS:
                limit = f"at most {MAX_FUNCTION_LINES}"
                yield f"{name}:{node.lineno}: {node.name} has {length} lines ({limit})"


def tested(files: Iterable[Path], sources: dict[Path, str]) -> Iterator[str]:
    """Every module has a test file named after it, or is imported by a test file.

    ``drivers/snmp/message.py`` wants ``tests/snmp/test_message.py``, or
    ``tests/drivers/test_snmp_message.py``. A module that defines nothing wants none.
    """
    files = list(files)
    tests = [file for file in files if file.parts[0] == "tests" and file.suffix == ".py"]
    named = {(file.parent.name, file.stem) for file in tests}
    imported = {name for file in tests for name in imports(sources[file])}
    for module in modules(files):
        if not any(isinstance(node, DEFINITIONS) for node in ast.parse(sources[module]).body):
            continue
        parts = module.parent.parts if module.stem == "__init__" else module.with_suffix("").parts
        names = {f"test_{parts[-1]}", f"test_{'_'.join(parts[-2:])}"}
        by_name = any((room, name) in named for room in parts for name in names)
        elsewhere = str(module).startswith(tuple(TESTED_ELSEWHERE))
        if not by_name and ".".join(parts) not in imported and not elsewhere:
            yield f"{module} has no test: write tests/{module.parent.name}/test_{parts[-1]}.py"


def imports(source: str) -> Iterator[str]:
    """The modules a file imports, and what it takes from them, as dotted names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def excuses(files: Iterable[Path]) -> Iterator[str]:
    """Exceptions for what is gone are removed."""
    known = {
        str(name) for file in files for name in (file, f"{file.parent}/", f"{file.parent.parent}/")
    }
    lists = {**LONG_MODULES, **TESTED_ELSEWHERE, **{k.split(":")[0]: "" for k in LONG_FUNCTIONS}}
    for name in lists:
        if name not in known:
            yield f"tests/check_project.py argues for {name}, which does not exist"


def changelog(text: str) -> Iterator[str]:
    """There is a place for what changes next, with known categories only."""
    if "\n## Unreleased\n" not in text:
        yield "CHANGELOG.md has no section '## Unreleased'"
    for category in re.findall(r"^### (.*)$", text, flags=re.MULTILINE):
        if category not in {"Added", "Changed", "Fixed", "Security", "Removed"}:
            yield f"CHANGELOG.md: {category!r} is no category"


def translations(file: Path, name: str) -> Iterator[str]:
    """Every message of a catalogue is translated, and by a person."""
    with file.open("rb") as stream:
        catalogue = read_po(stream)
    for message in catalogue:
        if not message.id:
            continue
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if not all(forms):
            yield f"{name}:{message.lineno}: {str(message.id)[:60]!r} is not translated"
        if message.fuzzy:
            yield f"{name}:{message.lineno}: {str(message.id)[:60]!r} is only guessed (fuzzy)"


def faults(root: Path) -> Iterator[str]:
    """Everything wrong with the project at ``root``."""
    files = committed(root)
    sources: dict[Path, str] = {}
    for file in files:
        name = str(file)
        if file.suffix == ".po":
            yield from translations(root / file, name)
        if file.suffix not in TEXT and file.suffix != ".lock" and name not in {"run", ".ci/run"}:
            continue
        sources[file] = text = (root / file).read_text(encoding="utf-8")
        yield from words(name, text)
        if file.suffix == ".lock":
            yield from python_lock(name, text)
        if file.name == "package-lock.json":
            yield from npm_lock(name, text)
        if file.suffix == ".md":
            yield from links(root, file, text)
        if file in modules([file]):
            yield from sizes(name, text)
    yield from tested(files, sources)
    yield from excuses(files)
    yield from changelog(sources.get(Path("CHANGELOG.md"), ""))


def main() -> int:
    """Print every fault; the exit code says whether there was one."""
    found = list(faults(ROOT))
    for sentence in found:
        print(sentence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
