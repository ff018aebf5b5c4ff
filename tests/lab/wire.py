"""The wire: one process that is the copper of all ports, and keeps its own record of the truth.

``python -m tests.lab.wire SWITCH_PID BOARDS_PID TRUTH_FILE COUNT``: port ``c1`` of the switch's
network is joined to ``b1`` of the boards', and so on. Who writes what:

- *The switch's user* (``ethtool -s``, ``ip link``) sets autoneg, speed, duplex, up and down.
- *The wire* gives and takes the carrier, at both ends. Where autoneg is on it also writes the
  speed and duplex that were negotiated ("unknown" until then), as a PHY's driver shows them;
  where it is off it writes neither.

Frames pass while there is a carrier. Standard input takes one JSON line each: ``{"port": "c1",
"plugged"|"broken_pair"|"stuck": bool, ...}``; each is answered by a line with the moment from which
it was so. Every change of truth is a line in TRUTH_FILE, see :mod:`tests.lab.truth`.
"""

import json
import os
import select
import socket
import struct
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from tests.lab.copper import Copper, Link, Setting
from tests.lab.linux import (
    FULL,
    HALF,
    IFF_UP,
    UNKNOWN_DUPLEX,
    Ethtool,
    Ports,
    Tap,
    enter_network_of,
)

LOOK_SECONDS = 0.004
RTMGRP_LINK = 1
RTM_NEWLINK = 16
_MESSAGE = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
NETLINK_BYTES = 1 << 20


class LinkNews:
    """The kernel's own word for every port that goes up or down: a bounce is never overlooked."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NETLINK_BYTES)
        self._socket.bind((0, RTMGRP_LINK))
        self._socket.setblocking(False)  # noqa: FBT003 - the standard library's own

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> list[tuple[int, bool]]:
        """(interface index, open?) in order."""
        found: list[tuple[int, bool]] = []
        while True:
            try:
                data = self._socket.recv(65536)
            except BlockingIOError:
                return found
            at = 0
            while at + _MESSAGE.size + _LINK.size <= len(data):
                length, kind, _, _, _ = _MESSAGE.unpack_from(data, at)
                if kind == RTM_NEWLINK:
                    _, _, index, flags, _ = _LINK.unpack_from(data, at + _MESSAGE.size)
                    found.append((index, bool(flags & IFF_UP)))
                at += (length + 3) & ~3


def _of(full: bool) -> int:
    return FULL if full else HALF


@dataclass
class Run:
    """One port, its cable and its board."""

    name: str
    index: int
    tap: Tap
    board: Tap
    copper: Copper = field(default_factory=Copper)
    link: Link | None = None
    said: str = ""
    """The last line of the record, without its moment."""


class Wire:
    """All of them."""

    def __init__(self, switch: int, boards: int, truth: IO[str], count: int) -> None:
        enter_network_of(boards)
        self._far = Ports()
        ends = [Tap(f"b{number}") for number in range(1, count + 1)]
        enter_network_of(switch)
        self._near = Ports()
        self._news = LinkNews()
        self._truth = truth
        self._runs = {
            f"c{number}": Run(
                f"c{number}", socket.if_nametoindex(f"c{number}"), Tap(f"c{number}"), end
            )
            for number, end in enumerate(ends, 1)
        }
        self._by_index = {run.index: run for run in self._runs.values()}
        for run in self._runs.values():
            run.tap.carrier(on=False)
            run.board.carrier(on=False)

    def run(self) -> None:
        """Until standard input ends."""
        poll = select.epoll()
        near = {run.tap.fileno(): run for run in self._runs.values()}
        far = {run.board.fileno(): run for run in self._runs.values()}
        control, news = sys.stdin.fileno(), self._news.fileno()
        for number in (*near, *far, control, news):
            poll.register(number, select.EPOLLIN)
        looked = 0.0
        pending = b""
        while True:
            for number, _ in poll.poll(LOOK_SECONDS):
                if number in near:
                    self._carry(near[number].tap, near[number].board, near[number])
                elif number in far:
                    self._carry(far[number].board, far[number].tap, far[number])
                elif number == control:
                    read = os.read(control, 65536)
                    if not read:
                        return
                    *lines, pending = (pending + read).split(b"\n")
                    for line in lines:
                        self._told(line)
            if time.monotonic() - looked >= LOOK_SECONDS:
                self._look()
                looked = time.monotonic()

    @staticmethod
    def _carry(source: Tap, target: Tap, run: Run) -> None:
        frame = source.read()
        if frame is not None and run.link is not None:
            target.write(frame)

    def _told(self, line: bytes) -> None:
        request = json.loads(line)
        run = self._runs[request.pop("port")]
        run.copper.cable = replace(run.copper.cable, **request)
        self._settle(run, *self._setting(run))
        print(json.dumps({"mono": time.monotonic(), "wall": time.time()}), flush=True)

    def _setting(self, run: Run) -> tuple[Setting, Ethtool]:
        found = self._near.ethtool(run.name)
        up = bool(self._near.flags(run.name) & IFF_UP)
        return Setting(up, found.autoneg, found.speed or 0, full=found.duplex == FULL), found

    def _look(self) -> None:
        for index, up in self._news.read():
            run = self._by_index.get(index)
            if run is not None and not up:
                setting, shown = self._setting(run)
                self._settle(run, replace(setting, up=False), shown)
        for run in self._runs.values():
            self._settle(run, *self._setting(run))

    def _settle(self, run: Run, setting: Setting, shown: Ethtool) -> None:
        link = run.copper.look(time.monotonic(), setting)
        if link is None and run.link is not None:
            run.tap.carrier(on=False)
            run.board.carrier(on=False)
        if setting.autoneg:
            speed, duplex = (None, UNKNOWN_DUPLEX) if link is None else (link.speed, _of(link.full))
            if (shown.speed, shown.duplex) != (speed, duplex):
                self._near.show(run.name, speed, duplex)
        if link is not None and link != run.link:
            self._far.show(f"b{run.name[1:]}", link.speed, _of(link.board_full))
            run.tap.carrier(on=True)
            run.board.carrier(on=True)
        run.link = link
        self._tell(run, setting)

    def _tell(self, run: Run, setting: Setting) -> None:
        cable, link = run.copper.cable, run.link
        said = json.dumps(
            {
                "port": run.name,
                "good": link is not None and link.good,
                "speed": link.speed if link is not None else None,
                "full": link.full if link is not None else None,
                "up": setting.up,
                "autoneg": setting.autoneg,
                "forced": None if setting.autoneg else setting.speed,
                "cable": [
                    name for name in ("broken_pair", "stuck") if getattr(cable, name)
                ] + ([] if cable.plugged else ["unplugged"]),
            }
        )  # fmt: skip
        if said != run.said:
            run.said = said
            moment = {"mono": time.monotonic(), "wall": time.time()}
            self._truth.write(json.dumps({**moment, **json.loads(said)}) + "\n")
            self._truth.flush()


def main() -> None:
    """Run it."""
    switch, boards, path, count = sys.argv[1:]
    with Path(path).open("a", encoding="ascii") as truth:
        wire = Wire(int(switch), int(boards), truth, int(count))
        print(json.dumps({"ready": True}), flush=True)
        wire.run()


if __name__ == "__main__":
    main()
