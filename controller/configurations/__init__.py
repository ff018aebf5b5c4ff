"""Configurations of switches as their schools tell of them: drift, rules, never the text."""
