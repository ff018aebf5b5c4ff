"""Class boards as software: MQTT clients that speak CONTRACT "MQTT" to the school's broker."""
