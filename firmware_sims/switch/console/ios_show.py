"""What ``show`` prints on IOS and its likes, shaped as real switches print it."""

from datetime import UTC, datetime

from firmware_sims.switch.model import Port, Switch
from firmware_sims.switch.settings import LinkType
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus


def short(port: Port) -> str:
    """``Gi1/0/1`` of ``GigabitEthernet1/0/1``."""
    name = port.descr.replace(" ", "")
    for long, brief_name in (("TenGigabitEthernet", "Te"), ("GigabitEthernet", "Gi")):
        if name.startswith(long):
            return brief_name + name.removeprefix(long)
    return name


def mac(address: bytes) -> str:
    """``4c1f.cc01.0203``."""
    digits = address.hex()
    return ".".join(digits[at : at + 4] for at in (0, 4, 8))


def moment(wall_ns: int) -> str:
    """``November 22 10:00:00``."""
    return datetime.fromtimestamp(wall_ns / 1e9, UTC).strftime("%B %d %H:%M:%S")


def interface(switch: Switch, port: Port) -> list[str]:
    """``show interfaces X``."""
    settings = switch.wiring.settings(port)
    up = port.oper is OperStatus.UP
    shut = port.admin is AdminStatus.DOWN
    now = switch.now()
    line = "up (connected)" if up else "down (disabled)" if shut else "down (notconnect)"
    speed = f"{port.speed_mbps}Mb/s" if up else "Auto-speed"
    duplex = ("Half" if port.duplex is Duplex.HALF else "Full") if up else "Auto"
    if not up and not settings.negotiates:
        speed = f"{settings.speed_mbps}Mb/s"
        duplex = "Half" if settings.duplex is Duplex.HALF else "Full"
    octets_in, octets_out = port.traffic.in_octets(now), port.traffic.out_octets(now)
    errors = port.traffic.errors(now)
    shown = "administratively down" if shut else "up" if up else "down"
    kbit = (port.speed_mbps if up else port.nominal_mbps) * 1000
    return [
        f"{port.descr} is {shown}, line protocol is {line}",
        f"  Hardware is Gigabit Ethernet, address is {mac(port.mac)} (bia {mac(port.mac)})",
        *([f"  Description: {settings.description}"] if settings.description else []),
        f"  MTU {port.mtu} bytes, BW {kbit} Kbit/sec, DLY 10 usec,",
        "     reliability 255/255, txload 1/255, rxload 1/255",
        "  Encapsulation ARPA, loopback not set",
        f"  {duplex}-duplex, {speed}, media type is 10/100/1000BaseTX",
        "  input flow-control is off, output flow-control is unsupported",
        (
            f"     {octets_in // port.traffic.unicast_octets} packets input, {octets_in} bytes, "
            "0 no buffer"
        ),
        f"     {errors} input errors, {errors} CRC, 0 frame, 0 overrun, 0 ignored",
        (
            f"     {octets_out // port.traffic.unicast_octets} packets output, {octets_out} bytes, "
            "0 underruns"
        ),
        "     0 output errors, 0 collisions, 0 interface resets",
    ]


def status(switch: Switch) -> list[str]:
    """``show interfaces status``."""
    lines = ["", "Port      Name               Status       Vlan       Duplex  Speed Type"]
    for port in switch.sockets:
        settings = switch.wiring.settings(port)
        up = port.oper is OperStatus.UP
        shut = port.admin is AdminStatus.DOWN
        auto = "a-" if up else "auto"
        duplex = "half" if port.duplex is Duplex.HALF else "full"
        vlan = "trunk" if settings.link_type is LinkType.TRUNK else str(settings.vlan)
        own_speed = port.speed_mbps if up else settings.speed_mbps
        own_duplex = duplex if up else settings.duplex.label if settings.duplex else ""
        speed = f"{auto if settings.speed_mbps is None else ''}{own_speed or ''}"
        shown = f"{auto if settings.duplex is None else ''}{own_duplex or ''}"
        state = "connected" if up else "disabled" if shut else "notconnect"
        media = "10/100/1000BaseTX" if port.nominal_mbps <= 1000 else "SFP-10GBase-SR"  # noqa: PLR2004 - Mb/s
        lines.append(
            f"{short(port):<9} {settings.description[:18]:<18} {state:<12} {vlan:<10} "
            f"{shown:>6} {speed:>6} {media}"
        )
    return lines


def neighbours(switch: Switch) -> list[str]:
    """``show lldp neighbors``."""
    lines = ["Device ID           Local Intf     Hold-time  Capability      Port ID"]
    lines += [
        f"{n.name[:20]:<20}{n.port:<15}{'120':<11}{'B':<16}{n.remote_port}"
        for n in switch.neighbours
    ]
    return [*lines, "", f"Total entries displayed: {len(switch.neighbours)}"]
