"""The command line of a simulated switch, sans I/O, and the SSH in front of it.

Written from the vendors' manuals and apart from ``drivers/cli`` on purpose, so that one cannot
hide the other's mistake. None of it was compared with real hardware: docs/simulated-switches.md.
"""

from firmware_sims.switch.console.line import CommandLine

__all__ = ["CommandLine"]
