"""No string without its translation, none left over, no bare text in a template."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment

from dashboards.ops import messages, render
from dashboards.ops.language import DOMAIN, LOCALE_FOLDER

TEMPLATES = sorted(render.TEMPLATES.glob("*.html"))
CATALOGUES = sorted(LOCALE_FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
NAMES = ("TenOne", "tenone agent -c school.yaml", "tenone check school.yaml", "dBm", "°C")
SPOKEN = ("aria-label", "title", "placeholder", "alt")


def test_the_template_catalogue_is_what_the_sources_say() -> None:
    """Mend with: python -m dashboards.ops.messages."""
    assert messages.POT.read_text(encoding="utf-8") == messages.as_text(messages.catalogue())


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_message_is_translated(path: Path) -> None:
    with path.open("rb") as file:
        language = read_po(file, locale=path.parts[-3], domain=DOMAIN)
    wanted = {message.id for message in messages.catalogue() if message.id}
    assert {message.id for message in language if message.id} == wanted
    assert not language.obsolete
    for message in language:
        if not message.id:
            continue
        assert isinstance(message.id, str)
        assert isinstance(message.string, str)
        assert message.string, f"{message.id!r} is not translated"
        assert not message.fuzzy, f"{message.id!r} is fuzzy"
        fields = re.compile(r"%\(\w+\)s")
        assert set(fields.findall(message.id)) == set(fields.findall(message.string))
        if path.parts[-3] == "zh_CN":
            assert re.search(r"[\u4e00-\u9fff，：]|%\(|TenOne", message.string), message.string


def test_chinese_uses_the_glossary() -> None:
    with (LOCALE_FOLDER / "zh_CN" / "LC_MESSAGES" / "ops.po").open("rb") as file:
        chinese = {message.id: message.string for message in read_po(file)}
    for english, word in (
        ("Uplink", "上联"),
        ("Classes", "班级"),
        ("10G to school", "万兆到校"),
        ("1G to class", "千兆到班"),
        ("Unverified", "未验证"),
        ("Good", "达标"),
        ("Harmed", "未达标"),
        ("Class board", "班牌"),
        ("Gateway", "网关"),
        ("negotiated", "协商"),
        ("Poll now", "复测"),
        ("Warning", "预警"),
        ("Critical", "告警"),
    ):
        assert word in str(chinese[english])


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_bare_text_in_templates(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    tokens = Environment(autoescape=True).lex(source)
    markup = "".join(value if kind == "data" else "\x00" for _, kind, value in tokens)
    attributes = re.findall(rf'\b(?:{"|".join(SPOKEN)})="([^"]*)"', markup)
    for value in set(attributes) - {"XXXX-XXXX-XXXX"}:
        assert not re.search(r"[^\W\d_]{2,}", value), f"untranslated attribute: {value!r}"
    text = re.sub(r"<[^>]*>", "\n", markup).replace("\x00", "")
    for line in map(str.strip, text.splitlines()):
        if line.startswith("data-page="):  # attributes of <body>, from a block of their own
            continue
        bare = re.sub(r"&\w+;", "", line)
        for name in NAMES:
            bare = bare.replace(name, "")
        assert not re.search(r"[^\W\d_]{2,}", bare), f"untranslated text: {line!r}"
