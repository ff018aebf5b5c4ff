"""Switches as software: SNMP agents that answer on UDP from a recording or a live state.

The encoder and decoder here are written apart from ``drivers/snmp`` on purpose, so that one
cannot hide the other's mistake.
"""
