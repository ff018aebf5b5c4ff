"""What ``show interface`` prints on ZXROS, shaped as real switches print it."""

from firmware_sims.switch.console.comware_show import rate
from firmware_sims.switch.console.ios_show import mac
from firmware_sims.switch.model import Port, Switch
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus


def brief(switch: Switch) -> list[str]:
    """``show interface brief``."""
    lines = ["Interface               Attribute  Mode         BW    Admin Phy   Prot  Description"]
    for port in switch.sockets:
        up = "up" if port.oper is OperStatus.UP else "down"
        admin = "down" if port.admin is AdminStatus.DOWN else "up"
        duplex = "half" if port.duplex is Duplex.HALF else "full"
        media = "electric" if port.nominal_mbps <= 1000 else "optical"  # noqa: PLR2004 - Mb/s
        lines.append(
            f"{port.descr:<23} {media:<10} {'Duplex/' + duplex:<12} "
            f"{rate(port.speed_mbps):<5} {admin:<5} {up:<5} {up:<5} {port.alias}".rstrip()
        )
    return lines


def interface(switch: Switch, port: Port) -> list[str]:
    """``show interface X``."""
    now = switch.now()
    settings = switch.wiring.settings(port)
    up = "up" if port.oper is OperStatus.UP else "down"
    shown = "administratively down" if port.admin is AdminStatus.DOWN else up
    duplex = "half" if port.duplex is Duplex.HALF else "full"
    return [
        f"{port.descr} is {shown}, ifindex: {port.if_index}",
        f"  Description: {settings.description}",
        f"  Line protocol is {up}",
        f"  Hardware is Gigabit Ethernet, address is {mac(port.mac)}",
        f"  Duplex {duplex}, negotiation {'auto' if settings.negotiates else 'off'}",
        f"  BW {port.speed_mbps} Mbit/s",
        f"  MTU {port.mtu} bytes",
        (
            f"  In_Bytes          {port.traffic.in_octets(now):<20} In_CRC_ERROR       "
            f"{port.traffic.errors(now)}"
        ),
        f"  E_Bytes           {port.traffic.out_octets(now)}",
    ]
