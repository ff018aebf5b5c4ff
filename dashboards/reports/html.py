"""A report's page as one HTML file that needs nothing else. No I/O."""

from html import escape

from dashboards.reports.sla import Page, Table
from dashboards.reports.words import Lang, say

_STYLE = """
body{font:14px/1.5 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;margin:2em;
color:#1a1a1a}
h1{font-size:1.5em}h2{font-size:1.1em;margin-top:2em}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2em 1em}dt{color:#555}dd{margin:0}
table{border-collapse:collapse;width:100%;font-size:12px}
th,td{border:1px solid #bbb;padding:.25em .5em;text-align:left;vertical-align:top}
th{background:#f0f0f0}.sign{display:flex;gap:3em;margin-top:3em}
.sign div{border-top:1px solid #333;padding-top:.3em;flex:1}
@media print{body{margin:0}table{break-inside:auto}tr,.sign{break-inside:avoid}}
"""


def as_html(page: Page, lang: Lang) -> str:
    """The whole document."""
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in page.facts
    )
    tables = "".join(_table(table) for table in page.tables)
    notes = "".join(f"<p>{escape(note)}</p>" for note in page.notes)
    language = "zh-CN" if lang is Lang.ZH else "en"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{escape(page.title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(page.title)}</h1><dl>{facts}</dl>{tables}{notes}{_signatures(page, lang)}"
        "</body></html>\n"
    )


def _table(table: Table) -> str:
    head, *rows = table.rows
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return (
        f"<h2>{escape(table.title)}</h2><table><thead><tr>{cells}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _signatures(page: Page, lang: Lang) -> str:
    if not page.signatures:
        return ""
    date = escape(say("date", lang))
    lines = "".join(f"<div>{escape(name)} / {date}</div>" for name in page.signatures)
    return f'<div class="sign">{lines}</div>'
