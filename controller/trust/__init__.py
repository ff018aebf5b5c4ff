"""Identities, device CA, accounts, approvals, the audit ledger."""
