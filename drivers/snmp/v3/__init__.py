"""SNMPv3 with the user-based security model (RFC 3411 to 3414), the asking side."""
