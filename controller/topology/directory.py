"""Which device a neighbour is: by address, never by a name that others may have too.

Six hundred switches named "HUAWEI" are six hundred devices. A name decides only where the
neighbour gave no hardware address, exactly one switch of the school has it, and that switch has
not told its own addresses either.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from controller.topology.model import Heard, Identity, switch_node


class Directory:
    """The devices of one school."""

    def __init__(
        self,
        hosts: Mapping[str, str],
        identities: Mapping[str, Identity],
        port_macs: Mapping[str, Iterable[str]],
        devices: Mapping[str, str],
    ) -> None:
        """``hosts``: switch -> address it is asked at; ``devices``: name, serial, address -> id."""
        self._devices = {name.lower(): device for name, device in devices.items()}
        owners: dict[str, set[str]] = {}
        for switch in hosts:
            known = identities.get(switch, Identity()).macs | set(port_macs.get(switch, ()))
            for mac in known:
                owners.setdefault(mac, set()).add(switch)
        # An address that two switches claim tells them apart no more.
        self._by_mac = {mac: who.pop() for mac, who in owners.items() if len(who) == 1}
        self._told = {switch for switch in hosts if identities.get(switch, Identity()).macs}
        self._by_host = _unique((host, switch) for switch, host in hosts.items())
        self._by_name = _unique((switch.lower(), switch) for switch in hosts)

    def switch_of(self, heard: Heard) -> str | None:
        """The configured switch a neighbour is; None where it is none, or none for certain."""
        for mac in (heard.mac, heard.chassis_id):
            if mac is not None and mac in self._by_mac:
                return self._by_mac[mac]
        if heard.address is not None and heard.address in self._by_host:
            return self._by_host[heard.address]
        if heard.mac is None and heard.name is not None:
            switch = self._by_name.get(heard.name.lower())
            return switch if switch is not None and switch not in self._told else None
        return None

    def device_of(self, heard: Heard) -> str | None:
        """The id of the configured device (board, access point ...) a neighbour is."""
        for name in (heard.name, heard.chassis_id, heard.mac):
            if name is not None and name.lower() in self._devices:
                return self._devices[name.lower()]
        return None

    def label(self, mac: str) -> str:
        """The id of the configured device with this address; the address where there is none."""
        return self._devices.get(mac, mac)

    def node_of(self, heard: Heard) -> str:
        """The node: a switch, a device, or something heard that nobody configured.

        What gave no address is one thing a port: the same name elsewhere is another thing.
        """
        switch = self.switch_of(heard)
        if switch is not None:
            return switch_node(switch)
        device = self.device_of(heard)
        if device is not None:
            return f"device/{device}"
        if heard.mac is not None:
            return f"heard/{heard.mac}"
        return f"heard/{heard.switch}/{heard.port}/{heard.words}"


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    listed = [(key, value) for key, value in pairs if key]
    times = Counter(key for key, _ in listed)
    return {key: value for key, value in listed if times[key] == 1}
