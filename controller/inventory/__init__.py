"""The inventory in the words of other systems: out, and back as a proposal."""
