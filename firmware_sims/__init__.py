"""Devices as software: the device side of the wire, for the demo and the tests."""
