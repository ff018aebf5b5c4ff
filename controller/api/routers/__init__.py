"""One router a resource; each only asks a port and encodes the answer."""
