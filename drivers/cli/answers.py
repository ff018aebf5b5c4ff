"""Answers of switches as rows, by the public templates (needs the extra ``cli``).

The templates are ntc-templates (Apache-2.0, Network to Code), the machine is TextFSM. Both are
loaded when the first answer is read, and that is in the child process: they cost 9 MB, and a
template's regular expressions may take for ever on a text made for it, so whoever asks bounds it.

Rows hold texts, as the switch wrote them. What a repair depends on is read by the dialects' own
readers, which refuse what they do not know; a template skips it. Where both read the same command,
a test compares them.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from drivers.cli.errors import CliError, UnreadableError
from tenone.vocabulary.intents import Dialect

Row = dict[str, str | list[str]]
MAX_CHARS = 2_000_000
_ENDS = re.compile(r"(?= |\Z)|(?<= )")
"""Between two words."""
_COMMAND = re.compile(r"[\x20-\x7e]{1,200}")

PLATFORMS: Mapping[Dialect, str] = MappingProxyType(
    {
        Dialect.HUAWEI_VRP5: "huawei_vrp",
        Dialect.HUAWEI_VRP8: "huawei_vrp",
        Dialect.COMWARE: "hp_comware",
        Dialect.ZTE: "zte_zxros",
        Dialect.CISCO_IOS: "cisco_ios",
        Dialect.LINUX: "linux",
    }
)
"""How the templates call what we speak. For Ruijie there are none."""


class NoTemplateError(CliError):
    """Nobody wrote a template for this command of this platform."""

    code = "no-template"


def platform_of(dialect: Dialect) -> str:
    """The templates' name; raises :class:`NoTemplateError`."""
    found = PLATFORMS.get(dialect)
    if found is None:
        raise NoTemplateError(f"there are no templates for {dialect.value}")
    return found


def rows(platform: str, command: str, text: str) -> list[Row]:
    """The answer ``text`` to ``command`` as rows; keys in lower case, as the template names them.

    No rows where the switch has none to tell. Raises :class:`NoTemplateError`, and
    :class:`UnreadableError` for a text that does not fit the template.
    """
    if not _COMMAND.fullmatch(command):
        raise NoTemplateError(f"{command!r:.80} is no command")
    if len(text) > MAX_CHARS:
        raise UnreadableError(f"the answer to {command!r} has more than {MAX_CHARS} characters")
    import ntc_templates  # noqa: PLC0415 - see above
    from textfsm import TextFSMError, clitable  # noqa: PLC0415 - see above

    table = clitable.CliTable("index", str(Path(ntc_templates.__path__[0]) / "templates"))
    templates = _found(table.index, platform, command)
    if templates is None:
        raise NoTemplateError(f"there is no template for {command!r} of {platform!r:.60}")
    try:
        table.ParseCmd(text, templates=templates)
    except (TextFSMError, clitable.CliTableError) as error:
        words = str(error).partition("\n")[0]
        raise UnreadableError(
            f"the answer to {command!r} is not as {platform} writes it: {words!r:.200}"
        ) from None
    names = [name.lower() for name in table.header]
    return [dict(zip(names, list(row), strict=True)) for row in table]


def _found(index: Any, platform: str, command: str) -> str | None:
    """The templates the index names for a command, first come first served.

    The index's own look-up takes beginnings: for it 'display the moon' is 'display t[emperature]',
    and 'cisco_ios_xe9' is 'cisco_ios'. Here a word is a word; the index has misspellings
    ('h[[arware]]'), so a template that is named for the command does too.
    """
    name = f"{platform}_{command.replace(' ', '_')}.textfsm"
    named: str | None = None
    for compiled in index.compiled:
        templates: str = index.index[compiled.row]["Template"]
        if not templates.startswith(f"{platform}_"):
            continue
        found = compiled["Command"].match(command)
        if found is not None and _ENDS.match(command, found.end()):
            return templates
        if templates.partition(":")[0] == name:
            named = templates
    return named
