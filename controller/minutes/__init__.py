"""Class-minutes as they pass: the calendar's clock, the running count, burn rates, availability."""
