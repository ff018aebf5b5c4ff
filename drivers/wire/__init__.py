"""MQTT and Sparkplug B: the port, the codec, the two sessions, how a block rides.

Only ``mqtt`` and ``embedded`` do I/O; everything else is bytes in, values out.
"""
