"""What the documents show is true: every example of a configuration is one."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from tenone.config import CalendarFile, City, School, load
from tenone.config.base import ConfigModel

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/configuration.md")


def examples(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_every_example_can_be_loaded(page: str, tmp_path: Path) -> None:
    (tmp_path / "schools").mkdir()
    (calendar,) = examples("docs/calendar.md")
    (tmp_path / "calendar.yaml").write_text(calendar, encoding="utf-8")
    assert isinstance(load(tmp_path / "calendar.yaml"), CalendarFile)
    kinds: list[type] = []
    for text in sorted(examples(page), key=lambda text: "\ncity:" in text):
        file = tmp_path / ("city.yaml" if "\ncity:" in text else "schools/no3.yaml")
        file.write_text(text, encoding="utf-8")
        kinds.append(type(load(file)))
    assert [kind.__name__ for kind in kinds] == ["School", "City"]


def keys(model: type[BaseModel]) -> set[str]:
    """Every key of a model and of the models inside it."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        found.add(name)
        inner = re.findall(r"tenone\.config\.(\w+)\.(\w+)", str(field.annotation))
        for module, kind in inner:
            part = getattr(__import__(f"tenone.config.{module}", fromlist=[kind]), kind)
            if not isinstance(part, type) or not issubclass(part, ConfigModel):
                continue
            if part is not School and part is not CalendarFile:  # files, and pages, of their own
                found |= keys(part)
    return found


@pytest.mark.parametrize(
    ("model", "page"),
    [(School, "configuration"), (City, "configuration"), (CalendarFile, "calendar")],
)
def test_every_key_is_documented(model: type[ConfigModel], page: str) -> None:
    text = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
    known = keys(model)
    assert len(known) > 15
    missing = {key for key in known if not re.search(rf"\b{key}\b", text)}
    assert missing == set()


def test_every_decision_is_listed_and_numbered_once() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = sorted(page.name for page in folder.glob("[0-9]*.md"))
    listed = re.findall(r"\]\((\d{4}-[^)]+)\)", (folder / "README.md").read_text())
    assert sorted(listed) == pages
    assert len({page[:4] for page in pages}) == len(pages)
