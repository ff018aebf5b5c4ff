"""What the controller keeps: blocks, records, exports."""
