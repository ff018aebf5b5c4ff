"""Care for configurations: text without noise, secrets masked, differences, rules. No I/O."""
