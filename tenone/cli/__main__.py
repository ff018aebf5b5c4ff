"""``python -m tenone.cli``: the same as the ``tenone`` command."""

from tenone.cli.main import run

run()
