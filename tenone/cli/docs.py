"""``tenone docs``: the documentation as pages, offline, on loopback.

:func:`router` is what the controller's composition mounts beside its own pages;
:func:`render_page` makes one page and touches no network.
"""

import html
import re
import socket
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer
from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from markdown_it import MarkdownIt
from markdown_it.token import Token

PREFIX = "/handbook"
IMAGES = {".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - TenOne</title>
<link rel="stylesheet" href="{prefix}/style.css">
</head>
<body>
<header><a href="{prefix}/index.md">TenOne</a></header>
<main>
{body}
</main>
</body>
</html>
"""

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5a6472; --ground: #ffffff;
  --panel: #f3f5f8; --line: #d8dee6; --link: #1764ad; }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe5ec; --soft: #9aa5b3;
  --ground: #10161d; --panel: #1a222c; --line: #2d3844; --link: #6db6ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.65 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
header { border-bottom: 1px solid var(--line); padding: .8rem 1.2rem; font-weight: 650; }
header a { color: var(--ink); text-decoration: none; }
main { max-width: 48rem; margin: 0 auto; padding: 1.2rem 1.2rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.25; margin: 1.2rem 0 1rem; }
h2 { font-size: 1.3rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.08rem; margin: 1.6rem 0 .4rem; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
code, pre { font: .9em/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
code { background: var(--panel); padding: .1em .3em; border-radius: 3px; }
pre { background: var(--panel); padding: .9rem 1rem; overflow-x: auto; border-radius: 6px; }
pre code { background: none; padding: 0; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .7rem; text-align: left;
  vertical-align: top; }
th { color: var(--soft); font-weight: 600; }
img { max-width: 100%; }
blockquote { margin: 1rem 0; padding-left: 1rem; border-left: 3px solid var(--line);
  color: var(--soft); }
@media print { header { display: none; } body { color: #000; background: #fff; } }
"""


def docs_directory() -> Path | None:
    """Where the pages are: beside the packages in a checkout, inside a package in a wheel."""
    checkout = Path(__file__).resolve().parents[2] / "docs"
    if (checkout / "index.md").is_file():
        return checkout
    packaged = Path(str(resources.files("dashboards") / "ops" / "docs"))
    return packaged if (packaged / "index.md").is_file() else None


def find_page(root: Path, name: str) -> Path | None:
    """The file called ``name`` (relative, with suffix) inside ``root``; None if there is none.

    Nothing outside ``root`` is ever found, neither by ``..`` nor through a link.
    """
    if "\0" in name or "\\" in name:
        return None
    root = root.resolve()
    file = (root / name).resolve()
    allowed = file.suffix == ".md" or file.suffix in IMAGES
    return file if allowed and file.is_relative_to(root) and file.is_file() else None


def render_page(file: Path, prefix: str = PREFIX) -> str:
    """One Markdown file as a whole HTML page; raw HTML in it is shown as text."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    tokens = parser.parse(file.read_text(encoding="utf-8"))
    title = _anchor_headings(tokens) or file.stem
    body = parser.renderer.render(tokens, parser.options, {})
    return _PAGE.format(title=html.escape(title), prefix=prefix, body=body)


def _anchor_headings(tokens: list[Token]) -> str:
    """Give every heading an id as GitHub does; returns the text of the first heading."""
    title = ""
    seen: dict[str, int] = {}
    for token, inline in pairwise(tokens):
        if token.type != "heading_open":
            continue
        text = "".join(
            t.content for t in inline.children or [] if t.type in {"text", "code_inline"}
        )
        anchor = anchor_of(text)
        count = seen.get(anchor, 0)
        seen[anchor] = count + 1
        token.attrSet("id", f"{anchor}-{count}" if count else anchor)
        title = title or text
    return title


def anchor_of(heading: str) -> str:
    """The fragment that leads to a heading: lower case, no punctuation, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def router(root: Path, prefix: str = PREFIX) -> APIRouter:
    """Routes that serve the pages under ``prefix``."""
    routes = APIRouter(prefix=prefix, include_in_schema=False)

    @routes.get("/style.css")
    def style() -> Response:
        return Response(STYLE, media_type="text/css", headers=SECURITY_HEADERS)

    @routes.get("/{name:path}")
    def page(name: str) -> Response:
        file = find_page(root, name or "index.md")
        if file is None:
            body = f'<h1>No such page</h1><p><a href="{prefix}/index.md">All pages</a></p>'
            text = _PAGE.format(title="No such page", prefix=prefix, body=body)
            return HTMLResponse(text, status_code=404, headers=SECURITY_HEADERS)
        if file.suffix in IMAGES:
            return FileResponse(file, media_type=IMAGES[file.suffix], headers=SECURITY_HEADERS)
        return HTMLResponse(render_page(file, prefix), headers=SECURITY_HEADERS)

    return routes


def application(root: Path) -> FastAPI:
    """The pages alone, as ``tenone docs`` serves them."""
    app = FastAPI(title="TenOne documentation", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(router(root))

    @app.get("/", include_in_schema=False)
    def start() -> Response:
        return RedirectResponse(f"{PREFIX}/index.md")

    return app


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("docs")(docs)


def docs(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on loopback; 0 takes a free one.")
    ] = 8011,
) -> None:
    """Serve the documentation on loopback until Ctrl-C."""
    import uvicorn  # noqa: PLC0415 - the renderer is used without a server

    root = docs_directory()
    if root is None:
        typer.echo("The documentation is not installed: look into the checkout's docs/.", err=True)
        raise typer.Exit(1)
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        sentence = f"Port {port} on 127.0.0.1 cannot be used ({error.strerror}): try --port 0."
        typer.echo(sentence, err=True)
        raise typer.Exit(1) from error
    with listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        typer.echo(f"Documentation: {address}   (Ctrl-C ends it)")
        config = uvicorn.Config(application(root), log_level="warning", lifespan="off")
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            typer.echo("")
