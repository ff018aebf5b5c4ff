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


def test_chinese_can_be_read_back(tmp_path: Path) -> None:
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext is not installed: sudo apt-get install poppler-utils")
    path = tmp_path / "a.pdf"
    path.write_bytes(as_pdf(PAGE, Lang.ZH))
    text = subprocess.run([program, str(path), "-"], capture_output=True, check=True).stdout
    assert "第一小学" in text.decode()
