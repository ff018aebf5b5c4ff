"""Pure arithmetic of the promise: no I/O, no clock, no logging (SLA.md)."""
