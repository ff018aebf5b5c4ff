"""``tenone agent`` as an operator starts it; what it does at work is in tests/agents."""

import json
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from agents.ledger_heads import LedgerHeads
from tenone.blocks.block import FIRST_PREVIOUS, Block, Draft, Stamp
from tenone.blocks.columns import Column
from tenone.blocks.layout import Layout
from tenone.cli.agent import Witness
from tenone.cli.main import build
from tenone.cli.processes import free_port
from tenone.journal.disk import OsDisk
from tenone.runtime.clock import SystemClock
from tenone.trust.witness import HeadRefused, WitnessedHead

SECONDS = 30.0
SCHOOL: dict[str, object] = {
    "schema_version": 1,
    "school": {"id": "no3", "name": "No. 3", "district": "east", "city": "binhai"},
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A school without switches whose city cannot be reached: that is no reason not to start."""
    city = {"host": "127.0.0.1", "port": free_port()}
    path = tmp_path / "school.yaml"
    rest = {"uplink": {"broker": city}, "outbox": {"path": str(tmp_path / "outbox")}}
    path.write_text(yaml.safe_dump(SCHOOL | rest))
    return path


@contextmanager
def started(config: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tenone.cli", "agent", "-c", str(config), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_that_it_is_ready_keeps_and_ends_at_a_signal(
    config: Path, number: signal.Signals
) -> None:
    kept = config.parent / "kept"
    with started(config, "--ready-json", "--kept", str(kept)) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        deadline = time.monotonic() + SECONDS
        while not kept.read_bytes() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        out, log = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert (ready["ready"], ready["school"], ready["local_broker"]) == (True, "no3", None)
    assert out == ""
    events = [json.loads(line) for line in log.splitlines()]
    assert [e["message"] for e in events if e["logger"] == "tenone.cli.agent"] == [
        "the agent of no3 is up",
        "stopping",
    ]
    assert {event["level"] for event in events} <= {"info", "warning"}
    journals = {json.loads(line)[0] for line in kept.read_text().splitlines()}
    assert journals == {ready["journal"]}


def test_a_journal_goes_on_after_a_restart(config: Path) -> None:
    journals = []
    for _ in range(2):
        with started(config, "--ready-json") as process:
            assert process.stdout is not None
            journals.append(json.loads(process.stdout.readline())["journal"])
            process.terminate()
            process.communicate(timeout=SECONDS)
        assert process.returncode == 0
    assert journals[0] == journals[1]


def test_the_second_one_on_an_outbox_is_refused_and_the_first_goes_on(config: Path) -> None:
    with started(config, "--ready-json") as first:
        assert first.stdout is not None
        assert json.loads(first.stdout.readline())["ready"]
        code, errors = refused(config)
        assert first.poll() is None
        first.terminate()
        first.communicate(timeout=SECONDS)
    assert (code, first.returncode) == (1, 0)
    assert errors.startswith(f"tenone agent: another agent works on {config.parent / 'outbox'}")


def refused(config: Path, *options: str) -> tuple[int, str]:
    with started(config, *options) as process:
        out, errors = process.communicate(timeout=SECONDS)
    assert out == ""
    assert "Traceback" not in errors
    return process.returncode, errors


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ({"schema_version": 9}, 2, "schema_version"),
        ({"school": "no3"}, 2, "school"),
        ({"uplimk": {}}, 2, "uplimk"),
        ({"outbox": {"path": "/dev/null/outbox"}}, 1, "/dev/null/outbox cannot be used"),
        ({"uplink": {"broker": {"host": "b", "username": "u", "password": "file:/dev/null/x"}}},
         1, "the password for broker b"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_configuration_is_a_sentence(
    change: dict[str, object], code: int, sentence: str, config: Path
) -> None:
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | change))
    ended, errors = refused(config)
    assert ended == code, errors
    assert sentence in errors


def test_every_fault_of_a_file_is_told_at_once(config: Path) -> None:
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | {"a": 1, "b": 2}))
    code, errors = refused(config)
    assert code == 2
    assert len(errors.splitlines()) == 2
    assert all(line.startswith(f"{config}:") for line in errors.splitlines())


def test_files_that_are_not_there(config: Path) -> None:
    code, errors = refused(config.parent / "none.yaml")
    assert (code, errors.count("\n")) == (2, 1)
    assert "none.yaml" in errors
    code, errors = refused(config, "--kept", str(config.parent / "none" / "kept"))
    assert (code, errors.count("\n")) == (1, 1)
    assert "--kept" in errors


def block(seq: int) -> Block:
    layout = Layout("switch-status", ("reachable",), ("core",))
    stamp = Stamp(agent="no3", subject="switch/core", boot_id=bytes(16), wall_ns=1, monotonic_ns=1)
    draft = Draft.of(layout, stamp, [Column.of("reachable", [1])])
    return draft.seal(bytes(16), seq, FIRST_PREVIOUS)


def test_the_witness_writes_before_it_returns(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    witness = Witness(path)
    blocks = [block(1), block(2), block(3)]
    witness.write(blocks[:2])
    assert len(path.read_text().splitlines()) == 2
    witness.write(blocks[2:])
    witness.close()
    witness.write(blocks)
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert found == [["00" * 16, int(b.priority), b.seq, b.hash.hex()] for b in blocks]


def test_a_witness_that_can_write_no_more_is_loud_and_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    witness = Witness(Path("/dev/full"))
    with caplog.at_level(logging.ERROR):
        witness.write([block(1)])
        witness.write([block(2)])
        witness.close()
    (record,) = caplog.records
    assert record.getMessage().startswith("/dev/full takes no more lines")
    assert "No space left on device" in record.getMessage()


def test_the_list_of_where_it_may_speak_to(config: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(build(["agent"]), ["agent", *arguments])
        return done.exit_code, done.output

    code, said = run("egress", "-c", str(config))
    assert code == 0
    assert "tcp: the city's broker" in said.splitlines()[0]
    code, said = run("egress", "-c", str(config), "--nft", "--user", "nobody")
    assert "meta skuid nobody jump listed" in said
    assert "ip daddr 127.0.0.1 tcp dport" in said
    assert run("egress", "-c", str(config), "--nft", "--user", "a b") == (
        1,
        "tenone agent egress: 'a b' is no user's name\n",
    )
    code, said = run()
    assert (code, "name the school's file" in said) == (2, True)


class _Turns(BaseHTTPRequestHandler):
    """A platform that sends whoever asks to another place."""

    to = 0

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("location", f"http://127.0.0.1:{self.to}/")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.mark.slow
def test_a_platform_cannot_send_it_elsewhere(config: Path) -> None:
    """A redirect to a place that is not listed: refused, logged, and not one byte arrives."""
    platform = HTTPServer(("127.0.0.1", 0), _Turns)
    threading.Thread(target=platform.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as secret_place:
        secret_place.settimeout(0)
        _Turns.to = secret_place.getsockname()[1]
        values = yaml.safe_load(config.read_text())
        url = f"http://127.0.0.1:{platform.server_port}/"
        values["probes"] = {"platforms": [{"id": "p", "url": url}], "platform_seconds": 5}
        config.write_text(yaml.safe_dump(values))
        with started(config, "--ready-json") as process:
            assert process.stderr is not None
            for line in process.stderr:
                if "egress" in line:
                    break
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=SECONDS)
        with pytest.raises(BlockingIOError):
            secret_place.accept()
    platform.shutdown()
    platform.server_close()
    event = json.loads(line)
    assert event["level"] == "warning"
    assert event["message"] == (
        f"refused: 127.0.0.1 port {_Turns.to} (TCP) is not on the agent's egress list "
        "(school.yaml: egress)"
    )


def test_what_a_school_keeps_of_the_ledger_is_printed(config: Path) -> None:
    outbox = config.parent / "outbox"
    kept = LedgerHeads(outbox, disk=OsDisk(), clock=SystemClock())
    words = ["agent", "heads", "-c", str(config)]
    for seq in (5, 7):
        head = WitnessedHead(ledger="0f" * 16, seq=seq, hash="1e" * 32, at_ns=seq, city="binhai")
        kept.keep(head)
    said = CliRunner().invoke(build(["agent"]), words)
    assert said.exit_code == 0
    assert [json.loads(line)["seq"] for line in said.stdout.splitlines()] == [5, 7]
    assert "2 heads are kept, 0 were refused" in said.stderr
    with pytest.raises(HeadRefused):
        kept.keep(WitnessedHead(ledger="0f" * 16, seq=6, hash="1e" * 32, at_ns=9, city="binhai"))
    said = CliRunner().invoke(build(["agent"]), [*words, "--refused"])
    assert said.exit_code == 1
    assert json.loads(said.stdout)["seq"] == 6
    assert "cut off or put back" in said.stderr


def test_no_outbox_no_heads(config: Path) -> None:
    said = CliRunner().invoke(build(["agent"]), ["agent", "heads", "-c", str(config)])
    assert said.exit_code == 1
    assert "cannot be read" in said.stderr
