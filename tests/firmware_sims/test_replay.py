import re
from pathlib import Path
from typing import Any

import pytest

from firmware_sims.switch import ber
from firmware_sims.switch.agent import LARGEST_REPLY, Agent
from firmware_sims.switch.replay import RecordingError, load, parse_line

Lines = list[tuple[str, int, bytes]]


def lines_of(path: Path) -> Lines:
    """The recording as OID, tag and the value's bytes, read without the simulator's code."""
    found = []
    for line in path.read_bytes().splitlines():
        oid, tag, value = line.split(b"|", 2)
        if tag.endswith(b"x"):
            value = bytes.fromhex(value.decode())
            if tag == b"64x":
                value = ".".join(map(str, value)).encode()
        elif tag == b"6":
            value = value.lstrip(b".")  # some recorders wrote .1.3, some 1.3
        found.append((oid.decode(), int(tag.rstrip(b"x")), value))
    return found


WORDS = {
    "INTEGER": 2,
    "Hex-STRING": 4,
    "OID": 6,
    "IpAddress": 64,
    "Counter32": 65,
    "Gauge32": 66,
    "Counter64": 70,
}


def walked(text: str) -> Lines:
    """What net-snmp printed with -On -Ox -Oe -OU -Ot, in the form of :func:`lines_of`."""
    found = []
    for entry in re.split(r"\n(?=\.\d)", text.strip()):
        oid, _, shown = entry.partition(" = ")
        if "No more variables" in shown:
            continue
        kind, colon, rest = shown.partition(": ")
        if shown == '""':
            tag, value = 4, b""
        elif shown == "NULL":
            tag, value = 5, b""
        elif not colon:
            tag, value = 67, shown.encode()
        else:
            tag = WORDS[kind]
            value = bytes.fromhex(rest) if tag == 4 else rest.strip().lstrip(".").encode()
        found.append((oid.lstrip("."), tag, value))
    return found


async def test_net_snmp_walks_every_recording_in_order_without_loss(
    recordings: list[Path], snmp_tools: str, serve: Any, run: Any
) -> None:
    assert len(recordings) == 35
    for path in recordings:
        agent = Agent(load(path), max_single=LARGEST_REPLY)
        async with serve(agent) as port:
            code, out, err = await run(
                snmp_tools, "-v2c", "-cpublic", "-m", "", "-On", "-Ox", "-Oe", "-OU", "-Ot",
                "-Cr50", "-t5", f"127.0.0.1:{port}", ".1",
            )  # fmt: skip
        assert code == 0, (path.name, err)
        expected = lines_of(path)
        assert len(expected) > 50
        assert walked(out.decode()) == expected, path.name


async def test_snmpv1_walks_everything_but_64_bit_counters(
    recordings: list[Path], snmp_tools: str, serve: Any, run: Any
) -> None:
    path = next(path for path in recordings if path.stem == "routeros_crs317")
    async with serve(Agent(load(path))) as port:
        code, out, err = await run(
            snmp_tools.replace("snmpbulkwalk", "snmpwalk"),
            "-v1", "-cpublic", "-m", "", "-On", "-Ox", "-Oe", "-OU", "-Ot",
            f"127.0.0.1:{port}", ".1",
        )  # fmt: skip
    assert code == 0, err
    shown = out.decode().replace("End of MIB\n", "")
    assert walked(shown) == [line for line in lines_of(path) if line[1] != 70]


@pytest.mark.parametrize(
    ("line", "tag", "content"),
    [
        (b"1.3.6.1.2.1.1.5.0|4|", 4, b""),
        (b"1.3.6.1.2.1.1.5.0|4|a | b ", 4, b"a | b "),
        (b"1.3.6.1.2.1.1.5.0|4x|00ff", 4, b"\x00\xff"),
        (b"1.3.6.1.2.1.1.5.0|2|-7", 2, -7),
        (b".1.3.6.1.2.1.1.2.0|6|.1.3.6.1.4.1.9", 6, (1, 3, 6, 1, 4, 1, 9)),
        (b"1.3.6.1.2.1.4.20.1.1.0|64|10.0.0.7", 64, bytes([10, 0, 0, 7])),
        (b"1.3.6.1.2.1.4.20.1.1.0|64x|0a000007", 64, bytes([10, 0, 0, 7])),
        (b"1.3.6.1.2.1.31.1.1.1.6.1|70|18446744073709551615", 70, 2**64 - 1),
        (b"1.3.6.1.2.1.1.9.0|5|", 5, b""),
        (b"1.3.6.1.4.1.2021.10.1.6.1|68x|9f780400000000", 68, bytes.fromhex("9f780400000000")),
        (b"1.3.6.1.2.1.1.3.0|67:numeric|rate=100,initial=5", 67, 5),
    ],
)
def test_lines(line: bytes, tag: int, content: object) -> None:
    read = parse_line(line)
    assert (read.tag, read.content) == (tag, content)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("1.3.6.1|4", "a part missing"),
        ("nonsense", "a part missing"),
        ("1.3.x|4|a", "is no OID"),
        ("1.3.6|octets|a", "is no tag"),
        ("1.3.6|3|a", "not a type of SNMP"),
        ("1.3.6|2|many", "invalid literal"),
        ("1.3.6|65|-1", "outside 0..4294967295"),
        ("1.3.6|64|1.2.3", "4 octets"),
        ("1.3.6|4x|0g", "hexadecimal"),
        ("1.3.4294967296|2|1", "at most 128 arcs"),
        ("1.3.6|2:magic|1", "variation"),
        ("1.3.6|2x|01", "hexadecimal"),
    ],
)
def test_bad_lines_name_file_and_line(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "bad.snmprec"
    path.write_text(f"# a comment\n\n1.3.6.1.2.1.1.1.0|4|ok\n{line}\n")
    with pytest.raises(RecordingError, match=re.escape(complaint)) as caught:
        load(path)
    assert f"{path}:4:" in str(caught.value)


def test_a_file_without_variables_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.snmprec"
    path.write_text("# nothing\n")
    with pytest.raises(RecordingError, match="holds no variables"):
        load(path)


def test_unordered_lines_are_served_in_order_and_the_first_of_a_repeated_oid_wins(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mixed.snmprec"
    path.write_bytes(b"1.3.6.1.10|2|10\r\n1.3.6.1.9|2|9\n1.3.6.1.128|2|1\n1.3.6.1.9|2|99\n")
    recording = load(path)
    assert [ber.arcs_of(key)[-1] for key in recording.keys] == [9, 10, 128]
    assert recording.varbind(0)[-1] == 9


def test_a_moving_number_moves_with_time_and_wraps(tmp_path: Path) -> None:
    path = tmp_path / "moving.snmprec"
    path.write_text("1.3.6.1.2.1.1.3.0|67:numeric|rate=100,initial=4294967290\n1.3.7|2|1\n")
    recording = load(path)
    assert recording.varbind(0).endswith(b"\x43\x05\x00\xff\xff\xff\xfa")
    recording.at(0.05)
    assert recording.varbind(0).endswith(b"\x43\x05\x00\xff\xff\xff\xff")
    recording.at(0.06)
    assert recording.varbind(0).endswith(b"\x43\x01\x00")


def test_texts_of_a_column(tmp_path: Path) -> None:
    path = tmp_path / "names.snmprec"
    path.write_text("1.3.6.1.9.1.2|4|b\n1.3.6.1.9.1.1|4|a\n1.3.6.1.9.2.1|4|other\n")
    assert load(path).texts((1, 3, 6, 1, 9, 1)) == ["a", "b"]


@pytest.mark.slow
async def test_a_walk_of_ten_megabytes_is_served_whole(
    recordings: list[Path], snmp_tools: str, serve: Any, run: Any
) -> None:
    path = recordings[0].parents[1] / "snmp-full" / "ruijie-m18000.snmprec"
    if not path.exists():
        pytest.skip(f"{path} is missing")
    async with serve(Agent(load(path), max_single=LARGEST_REPLY)) as port:
        code, out, err = await run(
            snmp_tools, "-v2c", "-cpublic", "-m", "", "-On", "-Ox", "-Oe", "-OU", "-Ot",
            "-Cr50", "-t5", f"127.0.0.1:{port}", ".1",
        )  # fmt: skip
    assert code == 0, err
    assert walked(out.decode()) == lines_of(path)
