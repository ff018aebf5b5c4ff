"""The streams of class boards and of the gateway itself."""

from typing import Final

import numpy as np

from controller.arrays import I8, Flags
from controller.state.columns import NEVER, Agents, Boards
from controller.state.marks import Marks
from controller.state.numbering import Numbering
from controller.state.position import START, Position
from controller.state.values import count, flag, rows_of
from controller.store.protocols import NS, Arrival
from tenone.vocabulary.scope import DeviceId
from tenone.vocabulary.states import Verdict

BOARD_STALE_SECONDS: Final = 180.0
"""A board's word is repeated with every health block (60 s); three missed make it stale."""


class CareStreams:
    """Fills boards and agents. Nothing here blocks."""

    def __init__(self, numbering: Numbering, boards: Boards, agents: Agents, marks: Marks) -> None:
        self._numbering = numbering
        self._boards = boards
        self._agents = agents
        self._marks = marks
        self._board_positions: dict[str, Position] = {}
        self._agent_positions: dict[str, Position] = {}

    def board_health(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        """One row a class board of the school."""
        if not self._board_positions.get(subject.school, START).before(at):
            return
        self._board_positions[subject.school] = at
        boards = self._boards
        for serial, row in zip(arrival.layout.rows, rows_of(arrival), strict=True):
            number = self._numbering.board_number.get(f"{subject.school}/board/{serial}")
            if number is None:
                self._marks.unplanned_total += 1
                continue
            online = flag(row.get("online"))
            if boards.online[number] != online:
                boards.online[number] = online
                boards.since_ns[number] = arrival.received_ns - max(arrival.age_ns, 0)
            boards.screen_on[number] = flag(row.get("screen_on"))
            for name in ("cpu_ratio", "temperature_celsius", "rssi_dbm"):
                value = row.get(name)
                getattr(boards, name)[number] = np.nan if value is None else value
            boards.app[number] = row.get("app")
            boards.firmware[number] = row.get("firmware")
            boards.evidence_ns[number] = at.evidence_ns
            self._marks.boards.add(number)

    def agent_health(self, arrival: Arrival, subject: DeviceId, at: Position) -> None:
        """One row: the gateway."""
        number = self._numbering.school_number.get(subject.school)
        if number is None or not self._agent_positions.get(subject.school, START).before(at):
            return
        self._agent_positions[subject.school] = at
        values = rows_of(arrival)[0] if arrival.block.rows else {}
        agents = self._agents
        agents.version[number] = values.get("agent_version") or agents.version[number]
        for name in ("outbox_bytes", "outbox_blocks", "quarantined_total"):
            getattr(agents, name)[number] = count(values.get(name))
        self._marks.agents.add(number)


def boards_silent(numbering: Numbering, boards: Boards, agents: Agents, now_ns: int) -> Flags:
    """Boards nobody can speak about now."""
    old = (boards.evidence_ns == NEVER) | (now_ns - boards.evidence_ns > BOARD_STALE_SECONDS * NS)
    silent: Flags = old | ~agents.online[numbering.board_school]
    return silent


def boards_connected(numbering: Numbering, boards: Boards, agents: Agents, now_ns: int) -> I8:
    """Of every link, whether the class boards of its room are connected.

    BAD where one is known to be away, GOOD where all are connected, UNKNOWN where one is silent or
    there is none.
    """
    links = len(numbering.links)
    link, board = numbering.boards_beside
    known = ~boards_silent(numbering, boards, agents, now_ns)[board] & (boards.online[board] >= 0)
    away = np.bincount(link[known & (boards.online[board] == 0)], minlength=links) > 0
    unsure = np.bincount(link[~known], minlength=links) > 0
    there = np.bincount(link, minlength=links) > 0
    verdict = np.full(links, Verdict.UNKNOWN, np.int8)
    verdict[there & ~unsure] = Verdict.GOOD
    verdict[away] = Verdict.BAD
    return verdict
