"""Log lines of switches over UDP: read, and searched for what is worth a look."""
