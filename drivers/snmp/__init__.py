"""The SNMP v2c reader: strict decoding, one socket, bounded questions, typed errors."""
