"""Live state as columns: arrays indexed by link, port, switch, school and board number."""
