"""Alembic migrations of the records; applied when the controller starts."""
