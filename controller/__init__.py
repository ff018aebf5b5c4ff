"""The city: takes in what the agents send, judges it, keeps it, says it."""
