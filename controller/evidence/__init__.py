"""Sealed evidence: from durable blocks to days, reports, and what proves them."""
