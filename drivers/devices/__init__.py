"""Devices that speak to the school's broker: what their bytes mean (CONTRACT "MQTT").

Pure functions bytes -> samples. A message that does not fit is refused with one of a closed
list of reasons; what happens to it then is the agent's affair.
"""
