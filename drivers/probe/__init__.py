"""Active probes: test packets and their reflector, names, platforms, hops. No judging."""
