"""Values of the topology room. Times are ns since 1970 UTC."""

from dataclasses import dataclass

NETWORK = frozenset({"repeater", "bridge", "wlan-access-point", "router", "docsis-cable-device"})
"""Capabilities of what carries other people's traffic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a switch says it is; None is not said."""

    serial: str | None = None
    engine_id: str | None = None
    base_mac: str | None = None
    chassis_id: str | None = None
    model: str | None = None

    @property
    def macs(self) -> frozenset[str]:
        """What neighbours may know it by."""
        said = (self.base_mac, self.chassis_id)
        return frozenset(one for one in said if one is not None)

    def is_other_than(self, before: "Identity") -> bool:
        """Whether this is another device: by the strongest mark both have said.

        A serial number decides alone: a main board that was changed takes a new address along.
        With no mark in common nothing is known, and it is taken for the same one.
        """
        for mark in ("serial", "engine_id", "base_mac", "chassis_id"):
            mine, his = getattr(self, mark), getattr(before, mark)
            if mine is not None and his is not None:
                return bool(mine != his)
        return False

    @property
    def words(self) -> str:
        """The strongest mark, for a sentence."""
        said = self.serial or self.engine_id or self.base_mac or self.chassis_id
        return said or "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A neighbour as one switch heard it on one port."""

    switch: str
    port: str
    protocol: str
    chassis_id: str | None = None
    mac: str | None = None
    remote_port: str | None = None
    name: str | None = None
    address: str | None = None
    capabilities: frozenset[str] | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Switch, port, and whom: one that is heard by two protocols counts once."""
        return self.switch, self.port, self.mac or self.chassis_id or self.name or "?"

    @property
    def is_network(self) -> bool:
        """Whether it carries others' traffic, as far as it says; a silent one counts as one."""
        return not self.capabilities or bool(self.capabilities & NETWORK)

    @property
    def words(self) -> str:
        """What to call it in a sentence."""
        return self.name or self.mac or self.chassis_id or "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A cable as one end hears it, true in ``[since_ns, now)``."""

    heard: Heard
    since_ns: int


@dataclass(frozen=True, slots=True)
class Place:
    """A port of a switch."""

    switch: str
    port: str

    @property
    def words(self) -> str:
        """For a sentence."""
        return f"{self.switch} {self.port}"


def switch_node(name: str) -> str:
    """The node of a switch that the configuration names."""
    return f"switch/{name}"
