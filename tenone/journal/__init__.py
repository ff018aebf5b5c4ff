"""The agent's journal: kept means fsynced, forgotten means receipted (docs/internals.md)."""
