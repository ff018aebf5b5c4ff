"""One room per thing we can speak to. No thresholds, no storage, no decisions."""
