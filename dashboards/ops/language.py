"""The languages of the pages: gettext catalogues read at start, one chosen a request."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Protocol

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE_FOLDER = Path(__file__).resolve().parent / "locale"
DOMAIN = "ops"
COOKIE = "tenone-language"
CHINESE = "zh-CN"


def mark(message: str) -> str:
    """Names ``message`` for extraction; it is translated where it is used."""
    return message


class Named(Protocol):
    """A place with a name, and a Chinese one where the first is not Chinese."""

    @property
    def name(self) -> str:
        """Any Unicode."""
        ...

    @property
    def name_zh(self) -> str | None:
        """None: ``name`` serves on every page."""
        ...


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its BCP 47 tag, its own name, its catalogue."""

    tag: str
    name: str
    catalogue: NullTranslations

    def text(self, message: str, /, **values: object) -> str:
        """The translation of ``message`` with ``%(name)s`` filled in; plain text, not HTML."""
        translated = self.catalogue.gettext(message)
        return translated % values if values else translated

    def name_of(self, view: Named) -> str:
        """What a city, district or school is called in this language."""
        return view.name_zh if view.name_zh and self.tag == CHINESE else view.name


def load(folder: Path = LOCALE_FOLDER) -> Mapping[str, Language]:
    """All languages by tag, the default first. Message ids are English, so it needs no file."""
    with (folder / "zh_CN" / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        catalogue = read_po(file, locale="zh_CN", domain=DOMAIN, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return {
        CHINESE: Language(CHINESE, "中文", GNUTranslations(compiled)),
        "en": Language("en", "English", NullTranslations()),
    }


def choose(languages: Mapping[str, Language], cookie: str | None, accept_language: str) -> Language:
    """The cookie's language, else the first acceptable one (RFC 9110 12.5.4), else the default."""
    if cookie is not None and cookie in languages:
        return languages[cookie]
    for wanted in _accepted(accept_language):
        for tag, language in languages.items():
            if wanted.lower().split("-")[0] == tag.lower().split("-")[0]:
                return language
    return next(iter(languages.values()))


def _accepted(header: str) -> Sequence[str]:
    """Language ranges of an Accept-Language header, most wanted first; q=0 left out."""
    ranges: list[tuple[float, int, str]] = []
    for place, part in enumerate(header[:500].split(",")):
        tag, _, parameters = part.partition(";")
        try:
            quality = float(parameters.strip().removeprefix("q=")) if parameters.strip() else 1.0
        except ValueError:
            continue
        if tag.strip() and quality > 0:
            ranges.append((-quality, place, tag.strip()))
    return [tag for _, _, tag in sorted(ranges)]
