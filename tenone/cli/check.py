"""``tenone check``: says whether configuration can be used, and what to mend if not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from tenone.config import CalendarFile, City, ConfigError, School, SecretError, SecretRef, load
from tenone.config.base import ConfigModel
from tenone.config.secret import readable_for_others


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="city, school and calendar files."),
    ],
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Also fetch every secret the files refer to.")
    ] = False,
) -> None:
    """Validate configuration: names file, line, key and remedy of every problem."""
    good = True
    for file in files:
        try:
            config = load(file)
        except ConfigError as error:
            good = False
            for problem in error.problems:
                typer.echo(str(problem))
            continue
        missing = list(missing_secrets(config)) if secrets else []
        for sentence in notes(config) if secrets else ():
            typer.echo(f"{file}: note: {sentence}.", err=True)
        for sentence in missing:
            good = False
            typer.echo(f"{file}: {sentence}.")
        if not missing:
            typer.echo(f"{file}: OK, {summary(config)}")
    if not good:
        raise typer.Exit(1)


def summary(config: School | City | CalendarFile) -> str:
    """What a file holds, counted."""
    if isinstance(config, CalendarFile):
        reach = f"{config.terms[0].first} to {config.terms[-1].last}"
        return f"calendar: terms from {reach}, {len(config.weekdays)} taught weekdays"
    schools = config.schools if isinstance(config, City) else (config,)
    counts = {
        "switch": sum(len(school.switches) for school in schools),
        "link": sum(len(school.links) for school in schools),
        "device": sum(len(school.devices) for school in schools),
    }
    plurals = {"switch": "switches", "link": "links", "device": "devices"}
    parts = [f"{n} {word if n == 1 else plurals[word]}" for word, n in counts.items()]
    if isinstance(config, City):
        districts, count = len(config.districts), len(schools)
        parts = [
            f"{districts} district{'s' * (districts != 1)}",
            f"{count} school{'s' * (count != 1)}",
            *parts,
        ]
        return f"city {config.id}: {', '.join(parts)}"
    return f"school {config.id}: {', '.join(parts)}"


def missing_secrets(config: object) -> Iterator[str]:
    """One sentence for each secret that cannot be fetched here; the secrets stay unseen."""
    for reference in dict.fromkeys(references(config)):
        try:
            reference.fetch()
        except SecretError as error:
            yield str(error)


def notes(config: School | City | CalendarFile) -> Iterator[str]:
    """What works, and whoever keeps the secrets should know."""
    if isinstance(config, CalendarFile):
        return
    if config.vault is None:
        yield (
            "there is no 'vault', so the secrets TenOne makes itself lie in files that its account "
            "alone may read"
        )
    for reference in dict.fromkeys(references(config)):
        if readable_for_others(reference):
            name = reference.name
            yield f"others may read the secret {name}: if nothing else reads it, chmod 600 {name}"


def references(value: object) -> Iterator[SecretRef]:
    """Every reference to a secret in a configuration."""
    match value:
        case SecretRef():
            yield value
        case ConfigModel():
            for name in type(value).model_fields:
                yield from references(getattr(value, name))
        case tuple():
            for part in value:
                yield from references(part)
        case dict():
            for part in value.values():
                yield from references(part)
        case _:
            pass
