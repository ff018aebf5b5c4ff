"""dot3StatsDuplexStatus for taps, as a ``pass_persist`` program of net-snmp: a model of ours.

net-snmp leaves out devices without ethtool statistics, and a tap has none. This answers the one
column (RFC 3635) from what ethtool reads: unknown(1) where there is no carrier, half(2), full(3).
``python -m tests.lab.duplex PORT...``, see snmpd.conf(5) for what is said on the two pipes.
"""

import socket
import sys

from tests.lab.linux import FULL, HALF, IFF_RUNNING, Ports

COLUMN = ".1.3.6.1.2.1.10.7.2.1.19"


def duplex(ports: Ports, name: str) -> int:
    """The column's value."""
    if not ports.flags(name) & IFF_RUNNING:
        return 1
    return {HALF: 2, FULL: 3}.get(ports.ethtool(name).duplex, 1)


def wanted(rows: list[int], command: str, oid: str) -> int | None:
    """The row that is asked for; None: there is none."""
    tail = oid.removeprefix(COLUMN)
    index = [int(part) for part in tail.split(".") if part] if oid.startswith(COLUMN) else []
    if command == "get":
        return index[0] if len(index) == 1 and index[0] in rows else None
    return next((row for row in rows if [row] > index), None)


def main() -> None:
    """Answer until the pipe ends."""
    ports = Ports()
    names = {socket.if_nametoindex(name): name for name in sys.argv[1:]}
    rows = sorted(names)
    lines = iter(sys.stdin.readline, "")
    for line in lines:
        command = line.strip()
        if command == "PING":
            print("PONG", flush=True)
        elif command in {"get", "getnext"}:
            row = wanted(rows, command, next(lines).strip())
            if row is None:
                print("NONE", flush=True)
            else:
                print(f"{COLUMN}.{row}\ninteger\n{duplex(ports, names[row])}", flush=True)
        elif command == "set":
            next(lines)
            next(lines)
            print("not-writable", flush=True)
        else:
            return


if __name__ == "__main__":
    main()
