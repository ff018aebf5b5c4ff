"""``tenone bench``: benchmarks, one JSON object a line; each lives in a module of its own."""

import typer

from tenone.cli import (
    bench_authorise,
    bench_console,
    bench_enrol,
    bench_ingest,
    bench_ledger,
    bench_poll,
    bench_probe,
    bench_report,
    bench_revoke,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    bench = typer.Typer(help="Benchmarks: one JSON object a line.", no_args_is_help=True)
    bench.callback()(_keep_command_names)
    bench.command("authorise")(bench_authorise.authorise)
    bench.command("console")(bench_console.console)
    bench.command("enrol")(bench_enrol.enrol)
    bench.command("poll")(bench_poll.poll)
    bench.command("ingest")(bench_ingest.ingest)
    bench.command("ledger")(bench_ledger.ledger)
    bench.command("probe")(bench_probe.probe)
    bench.command("report")(bench_report.report)
    bench.command("revoke")(bench_revoke.revoke)
    app.add_typer(bench, name="bench")


def _keep_command_names() -> None:
    """Benchmarks: one JSON object a line."""
