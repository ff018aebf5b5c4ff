"""Incidents: one a cause, opened and closed by evidence, shadowed by parents, escalated."""
