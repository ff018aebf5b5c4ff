"""Sets of time, and the school calendar that says which time a promise is about.

On the ground floor because both sides ask: the controller measures the promise over school hours
(SLA.md), the gateway probes classes in class time and tests throughput outside of it. No I/O but
the zone data of ``zoneinfo``, which is read once.
"""
