"""Keeps the catalogues true: ``python -m dashboards.ops.messages`` extracts and merges.

Writes ``locale/ops.pot`` and merges it into every ``ops.po``; what is new arrives there
without a translation, and the tests fail until somebody writes it.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from dashboards.ops.language import DOMAIN, LOCALE_FOLDER

HERE = Path(__file__).resolve().parent
POT = LOCALE_FOLDER / f"{DOMAIN}.pot"
KEYWORDS = {"_": None, "gettext": None, "mark": None}
HEADER = "# Messages of the TenOne operations pages. English is the message id.\n"


def found() -> Iterator[tuple[str, str]]:
    """Every message with the file it stands in, in a stable order."""
    for path in sorted((HERE / "templates").glob("*.html")):
        with path.open("rb") as file:
            for _line, _function, message, _comments in babel_extract(
                file, ["_", "gettext"], [], {"encoding": "utf-8", "silent": "false"}
            ):
                yield _text(message), f"templates/{path.name}"
    for path in sorted(HERE.glob("*.py")):
        with path.open("rb") as file:
            for _line, message, _comments, _context in extract("python", file, KEYWORDS):
                yield _text(message), path.name


def catalogue() -> Catalog:
    """The template catalogue as the sources stand."""
    made = Catalog(domain=DOMAIN, project="TenOne", header_comment=HEADER.strip(), charset="utf-8")
    for message, place in found():
        made.add(message, locations=[(place, 0)])
    return made


def as_text(made: Catalog) -> str:
    """A catalogue as a file's text, without dates and line numbers that only make noise."""
    buffer = io.BytesIO()
    write_po(buffer, made, width=100, omit_header=False, include_lineno=False, sort_output=True)
    lines = buffer.getvalue().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(('"POT-Creation', '"PO-Revision')))


def main() -> int:
    """Write the template and merge it into every language."""
    template = catalogue()
    POT.write_text(as_text(template), encoding="utf-8")
    missing = 0
    for path in sorted(LOCALE_FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        with path.open("rb") as file:
            language = read_po(file, locale=path.parts[-3], domain=DOMAIN)
        language.update(template, no_fuzzy_matching=True)
        language.obsolete.clear()
        path.write_text(as_text(language), encoding="utf-8")
        untranslated = [message.id for message in language if message.id and not message.string]
        missing += len(untranslated)
        for text in untranslated:
            sys.stdout.write(f"{path.parts[-3]}: no translation of {text!r}\n")
    return 1 if missing else 0


def _text(message: object) -> str:
    if isinstance(message, tuple):
        message = message[0]
    if not isinstance(message, str):
        raise TypeError(f"plural messages are not used here: {message!r}")
    return message


if __name__ == "__main__":
    sys.exit(main())
