"""From messages to committed blocks: decode, commit, receipt, live state. One writer."""
