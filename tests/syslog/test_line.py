import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.syslog.line import MAX_BYTES, Line, LineError, read_line


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"<187>Nov 22 09:12:00 sw1 %LINK: x", Line(3, "Nov 22 09:12:00 sw1 %LINK: x")),
        (b"<34>1 2026-11-22T01:12:00Z sw1 su - ID47 - \xef\xbb\xbf'su root' failed", None),
        (b"no priority at all", Line(None, "no priority at all")),
        (b"<13>two\r\nlines\0", Line(5, "two lines")),
        ("<13>端口关闭".encode("gb18030"), Line(5, "端口关闭")),
        ("<13>端口关闭".encode(), Line(5, "端口关闭")),
        (b"<0>x", Line(0, "x")),
    ],
)  # fmt: skip
def test_lines(data: bytes, line: Line | None) -> None:
    found = read_line(data)
    if line is None:
        assert found.severity == 2
        assert found.text.startswith("2026-11-22T01:12:00Z sw1 su")
    else:
        assert found == line


@pytest.mark.parametrize(
    ("data", "why"), [(b"", "empty"), (b"<13> \n", "empty"), (b"<192>x", "192")]
)
def test_what_is_no_line(data: bytes, why: str) -> None:
    with pytest.raises(LineError, match=why):
        read_line(data)


def test_only_so_much_is_read() -> None:
    assert len(read_line(b"<13>" + b"x" * 60_000).text) <= MAX_BYTES


@given(st.binary(max_size=3_000))
def test_any_bytes_are_a_line_or_refused(data: bytes) -> None:
    try:
        line = read_line(data)
    except LineError:
        return
    assert line.text == line.text.strip()
    assert "\n" not in line.text
