"""Switches by their command line (SSH). The packages for it are the optional extra ``cli``."""
