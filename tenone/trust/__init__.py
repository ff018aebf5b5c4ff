"""Shared by city and school: signed documents and sealed secrets. No network."""
