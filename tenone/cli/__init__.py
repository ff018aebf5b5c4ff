"""The front door and only composition root: commands, demo, bench."""
