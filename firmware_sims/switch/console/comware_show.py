"""What ``display`` prints on Comware 7, shaped as real switches print it."""

from firmware_sims.switch.console.vrp_show import mac
from firmware_sims.switch.model import Port, Switch
from firmware_sims.switch.settings import LinkType
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus

_SHORT = (
    ("Ten-GigabitEthernet", "XGE"),
    ("GigabitEthernet", "GE"),
    ("Vlan-interface", "Vlan"),
)
_TYPES = {LinkType.ACCESS: "A", LinkType.TRUNK: "T", LinkType.HYBRID: "H"}


def short(name: str) -> str:
    """``GE1/0/1`` of ``GigabitEthernet1/0/1``."""
    for long, brief_name in _SHORT:
        if name.startswith(long):
            return brief_name + name.removeprefix(long)
    return name


def rate(mbps: int) -> str:
    """``1G`` of 1000."""
    return f"{mbps // 1000}G" if mbps % 1000 == 0 and mbps else f"{mbps}M"


def interface(switch: Switch, port: Port) -> list[str]:
    """``display interface X``."""
    settings = switch.wiring.settings(port)
    up = port.oper is OperStatus.UP
    shut = port.admin is AdminStatus.DOWN
    now = switch.now()
    speed, duplex = "Unknown-speed mode", "unknown-duplex mode"
    if up:
        gigabit = port.speed_mbps >= 1000  # noqa: PLR2004 - Mb/s
        shown = f"{port.speed_mbps // 1000}Gbps" if gigabit else f"{port.speed_mbps}Mbps"
        speed = f"{shown}-speed mode"
        duplex = "half-duplex mode" if port.duplex is Duplex.HALF else "full-duplex mode"
    speed_type = "autonegotiation" if settings.speed_mbps is None else "force link"
    duplex_type = "autonegotiation" if settings.duplex is None else "force link"
    octets_in, octets_out = port.traffic.in_octets(now), port.traffic.out_octets(now)
    errors = port.traffic.errors(now)
    media = "twisted pair" if port.nominal_mbps <= 1000 else "optical fiber"  # noqa: PLR2004 - Mb/s
    return [
        port.descr,
        f"Current state: {'Administratively DOWN' if shut else 'UP' if up else 'DOWN'}",
        f"Line protocol state: {'UP' if up else 'DOWN'}",
        f"IP packet frame type: Ethernet II, hardware address: {mac(port.mac)}",
        f"Description: {settings.description or port.descr + ' Interface'}",
        f"Bandwidth: {(port.speed_mbps if up else port.nominal_mbps) * 1000} kbps",
        "Loopback is not set",
        f"Media type is {media}",
        f"{speed}, {duplex}",
        f"Link speed type is {speed_type}, link duplex type is {duplex_type}",
        "Flow-control is not enabled",
        "Maximum frame length: 9216",
        f"PVID: {settings.vlan}",
        "MDI type: Automdix",
        f"Port link-type: {settings.link_type.value.capitalize()}",
        f" Untagged VLANs: {settings.vlan}",
        "Last clearing of counters: Never",
        f" Input (total):  {octets_in // port.traffic.unicast_octets} packets, {octets_in} bytes",
        f" Input:  {errors} input errors, 0 runts, 0 giants, 0 throttles",
        f"         {errors} CRC, 0 frame, - overruns, 0 aborts",
        f" Output (total): {octets_out // port.traffic.unicast_octets} packets, {octets_out} bytes",
        " Output: 0 output errors, - underruns, - buffer failures",
    ]


def brief(switch: Switch) -> list[str]:
    """``display interface brief``."""
    lines = [
        "Brief information on interfaces in bridge mode:",
        "Link: ADM - administratively down; Stby - standby",
        "Speed: (a) - auto",
        "Duplex: (a)/A - auto; H - half; F - full",
        "Type: A - access; T - trunk; H - hybrid",
        "Interface            Link Speed     Duplex Type PVID Description",
    ]
    for port in switch.sockets:
        settings = switch.wiring.settings(port)
        up = port.oper is OperStatus.UP
        link = "ADM" if port.admin is AdminStatus.DOWN else "UP" if up else "DOWN"
        auto_speed, auto_duplex = settings.speed_mbps is None, settings.duplex is None
        own = settings.speed_mbps or 0
        speed = "auto" if auto_speed else rate(own)
        duplex = "A" if auto_duplex else "H" if settings.duplex is Duplex.HALF else "F"
        if up:
            speed = rate(port.speed_mbps) + ("(a)" if auto_speed else "")
            letter = "H" if port.duplex is Duplex.HALF else "F"
            duplex = letter + ("(a)" if auto_duplex else "")
        lines.append(
            f"{short(port.descr):<20} {link:<4} {speed:<9} {duplex:<6} "
            f"{_TYPES[settings.link_type]:<4} {settings.vlan:<4} {settings.description}".rstrip()
        )
    return lines


def neighbours(switch: Switch) -> list[str]:
    """``display lldp neighbor-information list``."""
    lines = [f"{'Local Interface':<26}{'Chassis ID':<18}{'Port ID':<26}System Name"]
    lines += [f"{n.port:<26}{mac(n.mac):<18}{n.remote_port:<26}{n.name}" for n in switch.neighbours]
    return lines
