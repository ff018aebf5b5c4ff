"""A UPS as software: UPS-MIB (RFC 1628) by SNMP, a battery that runs down, switches it feeds."""
