"""What can be read off the wire without asking: discovery frames."""
