"""How the vendors' switches present themselves: names, identities, habits.

Taken from recordings of real devices (names, sysObjectIDs, what a down port says of its
speed); the strings are put together here.
"""

from dataclasses import dataclass
from enum import StrEnum

from firmware_sims.switch.ber import Arcs

GIGABIT_MBPS = 1_000
TEN_GIGABIT_MBPS = 10_000


class Vendor(StrEnum):
    """The makes that can be simulated."""

    HUAWEI = "huawei"
    H3C = "h3c"
    RUIJIE = "ruijie"
    ZTE = "zte"
    HUAWEI_CE = "huawei-ce"
    """Huawei's data centre switches, which speak VRP8."""
    CISCO = "cisco"


SCHOOL_VENDORS = (Vendor.HUAWEI, Vendor.H3C, Vendor.RUIJIE, Vendor.ZTE)
"""What the simulated city and a mixed fleet are made of."""


class DownSpeed(StrEnum):
    """What a port without a link reports as its speed (SWITCHES 1)."""

    NOMINAL = "nominal"
    HIGH_SPEED_ZERO = "high-speed-zero"
    """ifSpeed nominal, ifHighSpeed 0."""
    TEN_MEGABIT = "ten-megabit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One make of switch."""

    vendor: Vendor
    model: str
    version: str
    descr: str
    object_id: Arcs
    access: str
    """ifName of access port ``n``, with ``{n}`` counting from 1."""
    uplink: str
    """ifName of the 10G port ``n``; ``{after}`` goes on counting after the access ports."""
    access_descr: str
    uplink_descr: str
    management: str
    """The one virtual interface every switch has."""
    first_index: int
    down_speed: DownSpeed
    if_type: int = 6

    def access_name(self, n: int) -> str:
        """The ifName of access port ``n``."""
        return self.access.format(n=n)

    def uplink_name(self, n: int, access_ports: int) -> str:
        """The ifName of 10G port ``n`` on a switch with that many access ports."""
        return self.uplink.format(n=n, after=access_ports + n)

    def port_descr(self, n: int, access_ports: int, *, uplink: bool) -> str:
        """The ifDescr of a port, which some makes write longer than its ifName."""
        pattern = self.uplink_descr if uplink else self.access_descr
        return pattern.format(n=n, after=access_ports + n)


_ENTERPRISES = (1, 3, 6, 1, 4, 1)

STYLES = {
    Vendor.HUAWEI: Style(
        vendor=Vendor.HUAWEI,
        model="S5720-56C-PWR-EI-AC",
        version="5.170",
        descr=(
            "S5720-56C-PWR-EI-AC\r\nHuawei Versatile Routing Platform Software\r\n"
            " VRP (R) software,Version 5.170 (S5720 V200R011C10SPC600)\r\n"
        ),
        object_id=(*_ENTERPRISES, 2011, 2, 23, 291),
        access="GigabitEthernet0/0/{n}",
        uplink="XGigabitEthernet0/0/{n}",
        access_descr="GigabitEthernet0/0/{n}",
        uplink_descr="XGigabitEthernet0/0/{n}",
        management="Vlanif1",
        first_index=5,
        down_speed=DownSpeed.NOMINAL,
    ),
    Vendor.H3C: Style(
        vendor=Vendor.H3C,
        model="E528",
        version="5.20",
        descr=(
            "H3C Switch E528 Software Version 5.20, Release 1513P62\r\nHangzhou H3C Tech. Co., Ltd."
        ),
        object_id=(*_ENTERPRISES, 25506, 1, 578),
        access="GigabitEthernet1/0/{n}",
        uplink="Ten-GigabitEthernet1/0/{after}",
        access_descr="GigabitEthernet1/0/{n}",
        uplink_descr="Ten-GigabitEthernet1/0/{after}",
        management="Vlan-interface1",
        first_index=1,
        down_speed=DownSpeed.HIGH_SPEED_ZERO,
        if_type=117,
    ),
    Vendor.RUIJIE: Style(
        vendor=Vendor.RUIJIE,
        model="S5750-24GT/12SFP",
        version="RGOS 10.4(3)",
        descr="Ruijie 10G Routing Switch(S5750-24GT/12SFP) By Ruijie Networks",
        object_id=(*_ENTERPRISES, 4881, 1, 1, 10, 1, 41),
        access="Gi0/{n}",
        uplink="Te0/{after}",
        access_descr="GigabitEthernet 0/{n}",
        uplink_descr="TenGigabitEthernet 0/{after}",
        management="Vl1",
        first_index=1,
        down_speed=DownSpeed.NOMINAL,
    ),
    Vendor.ZTE: Style(
        vendor=Vendor.ZTE,
        model="5950-36TM",
        version="V3.03.10.B30P11",
        descr=(
            "ZTE 5950-36TM Software, 5900 Version: V3.03.10.B30P11, RELEASE SOFTWARE, "
            "Product Version : V1.0"
        ),
        object_id=(*_ENTERPRISES, 3902, 3, 600, 3, 1, 801),
        access="gei-0/1/1/{n}",
        uplink="xgei-0/1/2/{n}",
        access_descr="gei-0/1/1/{n}",
        uplink_descr="xgei-0/1/2/{n}",
        management="vlan1",
        first_index=4,
        down_speed=DownSpeed.TEN_MEGABIT,
    ),
    Vendor.HUAWEI_CE: Style(
        vendor=Vendor.HUAWEI_CE,
        model="CE5882-48T4S",
        version="8.200",
        descr=(
            "Huawei Versatile Routing Platform Software\r\n"
            "VRP (R) software, Version 8.200 (CE5882 V200R020C10SPC600)\r\n"
            "HUAWEI CE5882-48T4S\r\n"
        ),
        object_id=(*_ENTERPRISES, 2011, 2, 239, 60),
        access="GE1/0/{n}",
        uplink="10GE1/0/{n}",
        access_descr="GE1/0/{n}",
        uplink_descr="10GE1/0/{n}",
        management="Vlanif1",
        first_index=4,
        down_speed=DownSpeed.NOMINAL,
    ),
    Vendor.CISCO: Style(
        vendor=Vendor.CISCO,
        model="WS-C2960X-24PS-L",
        version="15.2(7)E",
        descr=(
            "Cisco IOS Software, C2960X Software (C2960X-UNIVERSALK9-M), Version 15.2(7)E, "
            "RELEASE SOFTWARE (fc2)"
        ),
        object_id=(*_ENTERPRISES, 9, 1, 1208),
        access="Gi1/0/{n}",
        uplink="Te1/0/{n}",
        access_descr="GigabitEthernet1/0/{n}",
        uplink_descr="TenGigabitEthernet1/0/{n}",
        management="Vl1",
        first_index=10_101,
        down_speed=DownSpeed.NOMINAL,
    ),
}
"""Every make."""
