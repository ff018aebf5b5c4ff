"""What ``display`` prints on VRP, shaped as real switches print it (ntc-templates' samples)."""

from datetime import UTC, datetime

from firmware_sims.switch.model import Port, Switch
from firmware_sims.switch.settings import LinkType
from tenone.vocabulary.states import AdminStatus, Duplex, OperStatus


def moment(wall_ns: int) -> str:
    """A wall clock's reading as switches print it, in UTC."""
    return datetime.fromtimestamp(wall_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")


def mac(address: bytes) -> str:
    """``4c1f-cc01-0203``."""
    digits = address.hex()
    return "-".join(digits[at : at + 4] for at in (0, 4, 8))


def state(port: Port) -> str:
    """UP, DOWN or administratively so."""
    if port.admin is AdminStatus.DOWN:
        return "Administratively DOWN"
    return "UP" if port.oper is OperStatus.UP else "DOWN"


def interface(switch: Switch, port: Port) -> list[str]:
    """``display interface X``."""
    settings = switch.wiring.settings(port)
    up = port.oper is OperStatus.UP
    now = switch.now()
    speed = port.speed_mbps if up or not settings.negotiates else port.nominal_mbps
    half = port.duplex is Duplex.HALF
    kind = {LinkType.ACCESS: "access", LinkType.TRUNK: "trunk", LinkType.HYBRID: "hybrid"}
    octets_in, octets_out = port.traffic.in_octets(now), port.traffic.out_octets(now)
    frames_in = octets_in // port.traffic.unicast_octets
    frames_out = octets_out // port.traffic.unicast_octets
    errors = port.traffic.errors(now)
    return [
        f"{port.descr} current state : {state(port)}",
        f"Line protocol current state : {'UP' if up else 'DOWN'}",
        f"Description:{settings.description}",
        f"Switch Port, Link-type : {kind[settings.link_type]}(configured),",
        f"PVID : {settings.vlan:4}, TPID : 8100(Hex), The Maximum Frame Length is 9216",
        f"IP Sending Frames' Format is PKTFMT_ETHNT_2, Hardware address is {mac(port.mac)}",
        f"Current system time: {moment(switch.clock.wall_ns())}",
        f"Port Mode: {'COMMON COPPER' if port.nominal_mbps <= 1000 else 'COMMON FIBER'}",  # noqa: PLR2004 - Mb/s
        f"Speed : {speed:4},  Loopback: NONE",
        (
            f"Duplex: {'HALF' if half else 'FULL'},  "
            f"Negotiation: {'ENABLE' if settings.negotiates else 'DISABLE'}"
        ),
        "Mdi   : AUTO,  Flow-control: DISABLE",
        f"Input:  {frames_in} packets, {octets_in} bytes",
        f"  Unicast:     {frames_in:>20},  Multicast:   {0:>20}",
        f"  Discard:     {port.traffic.discards(now):>20},  Jumbo:       {0:>20}",
        f"  Total Error: {errors:>20}",
        f"  CRC:         {errors:>20},  Giants:      {0:>20}",
        f"Output:  {frames_out} packets, {octets_out} bytes",
        f"  Unicast:     {frames_out:>20},  Multicast:   {0:>20}",
        f"  Total Error: {0:>20}",
        "    Input bandwidth utilization  : 0.01%",
        "    Output bandwidth utilization : 0.01%",
    ]


def brief(switch: Switch) -> list[str]:
    """``display interface brief``."""
    now = switch.now()
    lines = [
        "PHY: Physical",
        "*down: administratively down",
        "InUti/OutUti: input utility/output utility",
        "Interface                   PHY   Protocol  InUti OutUti   inErrors  outErrors",
    ]
    for port in switch.ports:
        up = port.oper is OperStatus.UP
        phy = "*down" if port.admin is AdminStatus.DOWN else "up" if up else "down"
        errors = port.traffic.errors(now)
        lines.append(
            f"{port.descr:<27} {phy:<5} {'up' if up else 'down':<8} "
            f"{'0.01%':>6} {'0.01%':>6} {errors:>10} {0:>10}"
        )
    return lines


def neighbours(switch: Switch) -> list[str]:
    """``display lldp neighbor brief``."""
    lines = [f"{'Local Intf':<24}{'Neighbor Dev':<22}{'Neighbor Intf':<24}Exptime(s)"]
    lines += [f"{n.port:<24}{n.name:<22}{n.remote_port:<24}110" for n in switch.neighbours]
    return lines
