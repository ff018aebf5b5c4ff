"""``tenone``: finds the command and loads only the module it lives in.

An agent on a small gateway must not pay for the modules of the controller, so the
command's module is imported after the command's name is known.
"""

import importlib
import sys

import typer

COMMANDS = {
    "demo": "tenone.cli.demo",
    "controller": "tenone.cli.controller",
    "agent": "tenone.cli.agent",
    "check": "tenone.cli.check",
    "secret": "tenone.cli.secret",
    "configuration": "tenone.cli.configuration",
    "hostkey": "tenone.cli.hostkey",
    "service": "tenone.cli.service_units",
    "snmp": "tenone.cli.snmp",
    "probe": "tenone.cli.probe",
    "reflector": "tenone.cli.reflector",
    "report": "tenone.cli.report",
    "verify": "tenone.cli.verify",
    "sim": "tenone.cli.sim",
    "bench": "tenone.cli.bench",
    "docs": "tenone.cli.docs",
    "incidents": "tenone.cli.incidents",
    "inventory": "tenone.cli.inventory",
    "enrol": "tenone.cli.enrol",
    "audit": "tenone.cli.audit",
    "user": "tenone.cli.user",
    "broker": "tenone.cli.broker",
    "approvals": "tenone.cli.approvals",
    "switch": "tenone.cli.switch",
}
"""Command name -> module with a ``register(app: typer.Typer) -> None``."""


def build(names: list[str]) -> typer.Typer:
    """The application with the commands called ``names``."""
    app = typer.Typer(
        help="TenOne keeps the promise: 10G to every school, 1G to every class.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_keep_command_names)
    for name in names:
        importlib.import_module(COMMANDS[name]).register(app)
    return app


def _keep_command_names() -> None:
    """TenOne keeps the promise: 10G to every school, 1G to every class."""


def run() -> None:
    """Entry point of the ``tenone`` command."""
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    build([asked] if asked in COMMANDS else list(COMMANDS))()
