"""Clock and supervisor: what every long-running part is handed when it is built."""
