"""One module a vendor: how its command line says what :mod:`drivers.cli.dialect` means."""
