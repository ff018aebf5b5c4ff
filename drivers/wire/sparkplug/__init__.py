"""Sparkplug B 3.0: schema, codec, edge session, host session. No I/O, no clock."""
