"""The city as HTTP: JSON API, live stream, metrics, health, sessions. No business rules."""
