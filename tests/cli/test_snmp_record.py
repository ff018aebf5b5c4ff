import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drivers.snmp.target import Target
from firmware_sims.switch import fleet, replay
from firmware_sims.switch.server import Fleet
from tenone.cli.main import build
from tenone.cli.snmp_record import LLDP, MIB_2, read, recording_lines
from tenone.runtime.clock import SystemClock

CAPTURES = Path(os.environ.get("TENONE_CAPTURES", Path(__file__).parents[3] / "shared" / "data"))
RECORDING = """\
1.0.8802.1.1.2.1.3.2.0|4x|00ff7c0a
1.3.6.1.2.1.1.1.0|4x|e4b8ade5ad970d0a
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2011.2.23.291
1.3.6.1.2.1.1.3.0|67|4294967295
1.3.6.1.2.1.1.6.0|4x|
1.3.6.1.2.1.2.2.1.5.1|66|1000000000
1.3.6.1.2.1.2.2.1.8.1|2|-1
1.3.6.1.2.1.2.2.1.10.1|65|7
1.3.6.1.2.1.4.20.1.1.10.0.0.1|64x|0a000001
1.3.6.1.2.1.31.1.1.1.6.1|70|18446744073709551615
1.3.6.1.2.1.99.1.0|68x|9f780442c80000
"""


async def recorded_again(file: Path) -> tuple[str, list[str]]:
    """Serve a recording and record it again."""
    recording = replay.load(file)
    setting = fleet.Setting(clock=SystemClock())
    unit = fleet.recorded(recording, "sw", "public", ("127.0.0.1", 0), setting)
    async with Fleet([unit.endpoint]):
        target = Target(host="127.0.0.1", port=unit.endpoint.port, community="public")
        varbinds, errors = await read(target, [MIB_2, LLDP])
    return "".join(recording_lines(varbinds)), errors


async def test_a_recording_of_a_replay_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a.snmprec"
    file.write_text(RECORDING)
    text, errors = await recorded_again(file)
    moving = "1.3.6.1.2.1.1.3.0|"  # sysUpTime runs on in a replay
    assert [line for line in text.splitlines() if not line.startswith(moving)] == [
        line for line in RECORDING.splitlines() if not line.startswith(moving)
    ]
    assert text.count(moving) == 1
    assert errors == []


@pytest.mark.skipif(
    not (CAPTURES / "snmp").is_dir(), reason=f"no recorded devices in {CAPTURES}: TENONE_CAPTURES"
)
async def test_a_real_device_survives_two_generations(tmp_path: Path) -> None:
    first, errors = await recorded_again(CAPTURES / "snmp" / "ios_2960x.snmprec")
    assert errors == []
    assert first.count("\n") > 5_000
    file = tmp_path / "second.snmprec"
    file.write_text(first)
    second, _ = await recorded_again(file)
    moving = "1.3.6.1.2.1.1.3.0|"
    assert [line for line in second.splitlines() if not line.startswith(moving)] == [
        line for line in first.splitlines() if not line.startswith(moving)
    ]


def test_a_silent_device_is_said(tmp_path: Path) -> None:
    file = tmp_path / "earlier.snmprec"
    file.write_text("kept")
    arguments = ["snmp", "record", "127.0.0.1:9", "-c", "public", "--timeout", "0.05"]
    done = CliRunner().invoke(build(["snmp"]), [*arguments, "-o", str(file)])
    assert done.exit_code == 1
    assert "127.0.0.1:9" in done.stderr
    assert file.read_text() == "kept"


@pytest.mark.parametrize("root", ["system", "1.x", ""])
def test_a_root_that_is_no_oid(root: str) -> None:
    arguments = ["snmp", "record", "127.0.0.1:9", "-c", "public", "--root", root]
    done = CliRunner().invoke(build(["snmp"]), arguments)
    assert done.exit_code == 2
    assert "is no OID" in done.stderr
