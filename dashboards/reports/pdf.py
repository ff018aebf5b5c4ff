"""A report's page as PDF (reportlab).

Chinese shows on every reader: by an embedded font where the system has one that can be embedded,
else by the CID font STSong-Light, which readers bring.
"""

import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import reportlab.lib.colors
import reportlab.lib.pagesizes
import reportlab.lib.styles
import reportlab.pdfbase.cidfonts
import reportlab.pdfbase.pdfmetrics
import reportlab.pdfbase.ttfonts
import reportlab.platypus

from dashboards.reports.sla import Page, Table
from dashboards.reports.words import Lang, say

# The library has no annotations; here is all of it that is used.
_colors: Any = reportlab.lib.colors
_sizes: Any = reportlab.lib.pagesizes
_styles: Any = reportlab.lib.styles
_cid: Any = reportlab.pdfbase.cidfonts
_metrics: Any = reportlab.pdfbase.pdfmetrics
_ttf: Any = reportlab.pdfbase.ttfonts
_flow: Any = reportlab.platypus

MM = 72 / 25.4
CID_FONT = "STSong-Light"
EMBEDDABLE = (
    "wqy-microhei.ttc", "wqy-zenhei.ttc", "DroidSansFallbackFull.ttf", "uming.ttc", "simhei.ttf",
    "simsun.ttc", "msyh.ttc", "NotoSansSC-Regular.ttf",
)  # fmt: skip
"""TrueType fonts with Chinese; OpenType ones with CFF outlines (Noto CJK) cannot be embedded."""
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "C:/Windows/Fonts")
MARGIN = 12 * MM
SIGNING = 7 * MM


def font(folders: Sequence[str] = FONT_FOLDERS) -> str:
    """The name of a registered font that shows Chinese."""
    for folder in folders:
        for name in EMBEDDABLE:
            for path in sorted(Path(folder).rglob(name)):
                try:
                    _metrics.registerFont(_ttf.TTFont(path.stem, str(path)))
                except (_ttf.TTFError, OSError):
                    continue
                return path.stem
    _metrics.registerFont(_cid.UnicodeCIDFont(CID_FONT))
    return CID_FONT


def as_pdf(page: Page, lang: Lang, *, folders: Sequence[str] = FONT_FOLDERS) -> bytes:
    """The document's bytes."""
    name = font(folders)
    wrap = "CJK"  # breaks anywhere: ids and hashes are long words
    title = _styles.ParagraphStyle("title", fontName=name, fontSize=15, leading=20, wordWrap=wrap)
    head = _styles.ParagraphStyle("head", fontName=name, fontSize=11, leading=16, wordWrap=wrap)
    text = _styles.ParagraphStyle("text", fontName=name, fontSize=8, leading=11, wordWrap=wrap)
    cell = _styles.ParagraphStyle("cell", fontName=name, fontSize=6.2, leading=7.8, wordWrap=wrap)
    width = _sizes.landscape(_sizes.A4)[0] - 2 * MARGIN

    def story() -> list[Any]:
        return _story(page, lang, width, (title, head, text, cell))

    _, pages = _built(page, lang, name, story(), 0)
    data, _ = _built(page, lang, name, story(), pages)
    return data


def _built(
    page: Page, lang: Lang, font_name: str, story: list[Any], pages: int
) -> tuple[bytes, int]:
    """The bytes and how many pages; ``pages``: what the foot of each says of that."""
    out = io.BytesIO()
    document = _flow.SimpleDocTemplate(
        out, pagesize=_sizes.landscape(_sizes.A4), title=page.title, author="TenOne",
        leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
    )  # fmt: skip

    def foot(canvas: Any, _document: Any) -> None:
        canvas.setFont(font_name, 6)
        canvas.drawString(MARGIN, MARGIN / 2, page.stamp or page.title)
        told = say("page", lang, page=canvas.getPageNumber(), pages=pages)
        canvas.drawRightString(document.pagesize[0] - MARGIN, MARGIN / 2, told)

    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue(), int(document.page)


def _story(page: Page, lang: Lang, width: float, styles: Sequence[Any]) -> list[Any]:
    title, head, text, cell = styles
    story: list[Any] = [_flow.Paragraph(escape(page.title), title), _flow.Spacer(1, 3 * MM)]
    story += [_flow.Paragraph(f"{escape(key)}: {escape(value)}", text) for key, value in page.facts]
    for table in page.tables:
        # Room for the heading, the names of the columns and two rows, else on a new page.
        story.append(_flow.CondPageBreak(30 * MM))
        story += [_flow.Spacer(1, 4 * MM), _flow.Paragraph(escape(table.title), head)]
        story.append(_table(table, cell, width))
    story.append(_flow.Spacer(1, 4 * MM))
    story += [_flow.Paragraph(escape(note), text) for note in page.notes]
    signing: list[Any] = []
    for who in page.signatures:
        line = f"{escape(who)}: ______________________  {escape(say('date', lang))}: ____________"
        signing += [_flow.Spacer(1, SIGNING), _flow.Paragraph(line, text)]
    if signing:
        story.append(_flow.KeepTogether(signing))  # nobody signs half a sheet
    return story


def _table(table: Table, style: Any, width: float) -> Any:
    rows = [[_flow.Paragraph(escape(text), style) for text in row] for row in table.rows]
    weights = [
        min(max(len(row[column]) for row in table.rows[:200]), 40) + 4
        for column in range(len(table.rows[0]))
    ]
    made = _flow.LongTable(
        rows, repeatRows=1, colWidths=[width * w / sum(weights) for w in weights]
    )
    made.setStyle(
        _flow.TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.25, _colors.grey),
                ("BACKGROUND", (0, 0), (-1, 0), _colors.whitesmoke),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return made
