"""HTML and PDF of one page: escaped, complete, with Chinese that shows."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dashboards.reports.html import as_html
from dashboards.reports.pdf import CID_FONT, as_pdf, font
from dashboards.reports.sla import Page, Table
from dashboards.reports.words import Lang

PAGE = Page(
    "网络服务水平报告",
    [("范围", "滨海 <b>&")],
    [Table("汇总", [["范围", "可用率"], ["第一小学 <script>", "99.9 %"]])],
    ["说明"],
    ["运维技术人员"],
)


def test_html_is_escaped_and_whole() -> None:
    text = as_html(PAGE, Lang.ZH)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert 'lang="zh-CN"' in text
    assert "运维技术人员" in text
    assert not re.search(r"https?:", text), "needs nothing else"


def test_pdf_without_a_system_font_uses_the_readers_own(tmp_path: Path) -> None:
    assert font([str(tmp_path)]) == CID_FONT
    data = as_pdf(PAGE, Lang.ZH, folders=[str(tmp_path)])
    assert data.startswith(b"%PDF-")
    assert CID_FONT.encode() in data


def pages_of(data: bytes, folder: Path) -> list[str]:
    """The text of every page; skips where poppler is not installed."""
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext is not installed: sudo apt-get install poppler-utils poppler-data")
    path = folder / "a.pdf"
    path.write_bytes(data)
    command = [program, "-layout", str(path), "-"]
    text = subprocess.run(command, capture_output=True, check=True).stdout
    return text.decode().split("\f")[:-1]


def test_chinese_can_be_read_back(tmp_path: Path) -> None:
    (page,) = pages_of(as_pdf(PAGE, Lang.ZH), tmp_path)
    assert "第一小学" in page


@pytest.mark.parametrize(
    ("lang", "foot"), [(Lang.ZH, "第 {} 页，共 {} 页"), (Lang.EN, "page {} of {}")]
)
def test_every_sheet_says_where_it_belongs(tmp_path: Path, lang: Lang, foot: str) -> None:
    """Who, when, of what, which of how many; columns named anew; no row and no signing torn."""
    name = "教室" * 60
    rows = [["链路", "名称", "P95"], *([f"no1/c{n}", f"<{n}{name}{n}>", "1 %"] for n in range(70))]
    stamp = "张三 2026-09-22 08:15:00 SHA-256 " + "c9" * 32
    who = ["运维技术人员", "部门负责人", "分管领导"]
    page = Page("标题", [("范围", "x")] * 12, [Table("明细", rows)], ["说明"], who, stamp)
    pages = pages_of(as_pdf(page, lang), tmp_path)
    assert len(pages) > 2
    seen = []
    for number, text in enumerate(pages, 1):
        assert foot.format(number, len(pages)) in text
        assert "c9" * 32 in text
        assert "张三" in text

        begun, ended = re.findall(r"<(\d+)教", text), re.findall(r"室(\d+)>", text)
        assert begun == ended, "a row was torn between two pages"
        assert not begun or "P95" in text, "the columns are named on each page"
        seen += begun
    assert seen == [str(n) for n in range(70)]
    assert all(one in pages[-1] for one in who)
