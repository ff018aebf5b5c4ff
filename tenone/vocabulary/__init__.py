"""One vocabulary from the wire to the screen: scopes, states, verdicts, metrics."""
