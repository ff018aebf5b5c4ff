"""``tenone audit``: the audit ledger verified, listed, counted; beside a running controller too."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from controller.trust.chain import Head, Row
from controller.trust.entries import LedgerError
from controller.trust.heads import HeadsError, heads_in
from controller.trust.queries import Filter, as_json, counted, found
from controller.trust.segment import SegmentError
from controller.trust.verify import Verdict, rows_of
from controller.trust.verify import verify as verify_ledger
from controller.trust.witnesses import ADMIT, compare, ledger_now, span, unexcused
from controller.trust.witnesses import FILE as WITNESSES_FILE
from tenone.calendar.zone import CITY_ZONE
from tenone.cli._console import CityFile, MaybeCityFile, configured
from tenone.cli._ledger import folder_of, ledgered
from tenone.config import City, load_city
from tenone.trust.witness import WitnessedHead

BAD = 1
BAD_INPUT = 2

AsJson = Annotated[bool, typer.Option("--json", help="Say it as JSON.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(help="The audit ledger: verified, listed, counted.")
    group.command("verify")(verify)
    group.command("admit")(admit)
    group.command("list")(list_entries)
    group.command("report")(report)
    app.add_typer(group, name="audit")


def verify(
    place: Annotated[
        Path | None, typer.Argument(help="The ledger's folder, or one segment of it.")
    ] = None,
    config: MaybeCityFile = None,
    anchors: Annotated[
        list[Path] | None, typer.Option("--anchors", help="A file of anchored heads.")
    ] = None,
    witnesses: Annotated[
        bool, typer.Option("--witnesses", help="What the schools said they keep (needs -c), too.")
    ] = False,
    as_json_: AsJson = False,
) -> None:
    """Verify chain, numbers and anchors; names the first bad entry, then ends with 1."""
    files = list(anchors or ())
    said: list[Path] = []
    if config is not None:
        city = configured(load_city, config)
        place = place or folder_of(city)
        files += [one.file for one in city.trust.anchors if one.file and one.file.exists()]
        said = [city.store.path / WITNESSES_FILE] if witnesses else []
    if witnesses and not (said and said[0].exists()):
        typer.echo(
            "tenone audit verify: no school has said yet what it keeps, or -c is missing; print it "
            "at a school by 'tenone agent heads', and name that file by --anchors",
            err=True,
        )
        raise typer.Exit(BAD_INPUT)
    if place is None:
        typer.echo(
            "tenone audit verify: name the ledger's folder, or the city.yaml with -c", err=True
        )
        raise typer.Exit(BAD_INPUT)
    if not place.exists():
        typer.echo(f"tenone audit verify: there is nothing at {place}", err=True)
        raise typer.Exit(BAD_INPUT)
    verdict = _verified(place, _heads([*files, *said]))
    if said:
        asked = datetime.fromtimestamp(said[0].stat().st_mtime, UTC).isoformat(timespec="seconds")
        verdict.notes.append(f"what schools keep is what they said until {asked}")
    typer.echo(json.dumps(verdict_json(verdict)) if as_json_ else told(verdict))
    if verdict.bad is not None:
        raise typer.Exit(BAD)


def admit(
    config: CityFile,
    reason: Annotated[str, typer.Option(help="What happened; it stands in the ledger for ever.")],
    first: Annotated[
        int | None,
        typer.Option("--from", min=1, help="The first entry that is not what it was."),
    ] = None,
) -> None:
    """Say in the ledger that it is not what it was, as after a restore from a backup.

    What schools and anchors saw before this moment, from that entry on, is excused by it; what
    they saw of earlier entries must still be so. Schools keep the admission with their heads.
    """
    city = configured(load_city, config)
    folder = folder_of(city)
    try:
        first = first or _first_other(city, folder)
        if first is None or not reason.strip():
            typer.echo(
                "tenone audit admit: no school and no anchor contradicts the ledger, so there is "
                "nothing to admit; if you know better, name the entry by --from"
                if reason.strip()
                else "tenone audit admit: --reason is empty: say what happened",
                err=True,
            )
            raise typer.Exit(BAD)
        ledgered(city, ADMIT, subject=str(first), detail={"first": first, "reason": reason[:1000]})
    except LedgerError as error:
        typer.echo(f"tenone audit admit: {error}", err=True)
        raise typer.Exit(BAD) from None
    typer.echo(f"The ledger admits that it is not what it was from entry {first} on.")


def list_entries(  # noqa: PLR0917 - typer reads options from the signature
    config: CityFile,
    act: Annotated[str | None, typer.Option(help="An act, or its first word.")] = None,
    actor: Annotated[str | None, typer.Option(help="Who, as account:li.")] = None,
    scope: Annotated[str | None, typer.Option(help="A scope path; all that lies inside.")] = None,
    since: Annotated[str | None, typer.Option(help="A moment, as 2026-11-22T08:00+08:00.")] = None,
    until: Annotated[str | None, typer.Option(help="A moment; up to it.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many.")] = 50,
    as_json_: AsJson = False,
) -> None:
    """The newest entries first. That somebody looked becomes an entry itself, before."""
    city = configured(load_city, config)
    asked = Filter(
        act=act,
        actor=actor,
        scopes=(scope,) if scope else (),
        since_ns=_moment_ns("--since", since),
        until_ns=_moment_ns("--until", until),
    )
    options = {"act": act, "actor": actor, "since": since, "until": until}
    shown = {name: value for name, value in options.items() if value is not None}
    try:
        ledgered(city, "audit.read", scope=scope or "", detail=shown)
        rows = found(folder_of(city), asked, limit)
    except LedgerError as error:
        typer.echo(f"tenone audit list: {error}", err=True)
        raise typer.Exit(BAD) from None
    for row in rows:
        typer.echo(json.dumps(as_json(row)) if as_json_ else line_of(row))


def report(
    config: CityFile,
    year: Annotated[int, typer.Option(min=2000, max=9999, help="A year of local days.")],
    as_json_: AsJson = False,
) -> None:
    """How often what was done, refused and failed in a year: the figures of the yearly audit."""
    city = configured(load_city, config)
    zone = ZoneInfo(CITY_ZONE)
    start, end = (
        round(datetime(y, 1, 1, tzinfo=zone).timestamp()) * 10**9 for y in (year, year + 1)
    )
    try:
        ledgered(city, "audit.report", detail={"year": year})
        acts = counted(rows_of(folder_of(city)), start, end)
    except (LedgerError, SegmentError) as error:
        typer.echo(f"tenone audit report: {error}", err=True)
        raise typer.Exit(BAD) from None
    if as_json_:
        reads = acts.get("personal.read", {})
        body = {"year": year, "city": city.id, "acts": acts, "personal_reads": reads}
        typer.echo(json.dumps(body))
        return
    typer.echo(
        f"{city.city.name}, {year}: {sum(sum(one.values()) for one in acts.values())} entries"
    )
    for act, outcomes in acts.items():
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
        typer.echo(f"  {act:32} {counts}")


def line_of(row: Row) -> str:
    """An entry as one line for people; its texts are escaped as JSON escapes them."""
    body = json.loads(row.body)
    at = datetime.fromtimestamp(body["at_ns"] / 1e9, UTC).isoformat(timespec="milliseconds")
    fields = (body["act"], body["outcome"], body["actor"], body["scope"], body["subject"])
    return " ".join([str(body["seq"]), at, *map(json.dumps, fields), json.dumps(body["detail"])])


def _verified(place: Path, heads: Sequence[Head]) -> Verdict:
    """The verdict; heads that an entry of the ledger excuses are not held against it."""
    try:
        now = ledger_now(place) if place.is_dir() else None
        must, excused = ([*heads], []) if now is None else unexcused(heads, now)
    except LedgerError:  # the verifier says what it cannot read, and where
        return verify_ledger(place, heads)
    verdict = verify_ledger(place, must)
    for one in () if now is None else now.admissions:
        verdict.notes.append(
            f"entry {one.entry} admits that this is not what it was from entry {one.first} on: "
            f"{json.dumps(one.reason)}, by {json.dumps(one.by)}"
        )
    if excused:
        newest = max(one.seq for one in excused)
        verdict.notes.append(
            f"{len(excused)} heads that were seen before then, up to entry {newest}, are not of it"
        )
    return verdict


def _first_other(city: City, folder: Path) -> int | None:
    """The first entry that may not be what it was, by schools and anchors; None: all fits."""
    now = ledger_now(folder)
    files = [one.file for one in city.trust.anchors if one.file and one.file.exists()]
    said = city.store.path / WITNESSES_FILE
    seen = [
        WitnessedHead(ledger=one.ledger, seq=one.seq, hash=one.hash.hex(), at_ns=one.at_ns)
        for one in _heads([*files, *([said] if said.exists() else [])])
    ]
    found = compare(seen, now)
    if not found.misfits:
        return None
    if any(one.ledger != now.ledger for one in found.misfits):
        return 1
    return span([found], now)[0]


def told(verdict: Verdict) -> str:
    """The verdict in sentences."""
    rate = verdict.rows / verdict.seconds if verdict.seconds else 0.0
    looked = f"{verdict.rows} entries in {verdict.seconds:.2f} s ({rate:,.0f} a second)"
    notes = [f"- {note}" for note in verdict.notes]
    if verdict.bad is not None:
        return "\n".join([f"BAD: {verdict.bad}.", f"{looked} were good before it.", *notes])
    head = verdict.head
    if head is not None:
        notes.append(f"- entry {head.seq} has the hash {head.hash.hex()}")
    if not verdict.anchors:
        notes.append("- no anchor was compared: a ledger rewritten to its end would look like this")
    return "\n".join([f"WHOLE: {looked}, {verdict.anchors} anchors fit.", *notes])


def verdict_json(verdict: Verdict) -> dict[str, object]:
    """The same for programs."""
    bad, head = verdict.bad, verdict.head
    return {
        "whole": bad is None,
        "bad": None if bad is None else {"seq": bad.seq, "what": bad.what, "sentence": str(bad)},
        "rows": verdict.rows,
        "first": verdict.first,
        "head": None
        if head is None
        else {"ledger": head.ledger, "seq": head.seq, "hash": head.hash.hex()},
        "anchors": verdict.anchors,
        "seconds": round(verdict.seconds, 4),
        "notes": verdict.notes,
    }


def _heads(files: Sequence[Path]) -> list[Head]:
    try:
        return [head for file in files for head in heads_in(file)]
    except HeadsError as error:
        typer.echo(f"tenone audit verify: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from None


def _moment_ns(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        typer.echo(f"{option}: {text!r} is no moment: write 2026-11-22T08:00+08:00", err=True)
        raise typer.Exit(BAD_INPUT) from None
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1e6) * 1000
