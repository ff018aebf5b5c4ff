"""Boards beside links: connected, away, silent."""

import pytest

from controller.state.care_streams import BOARD_STALE_SECONDS, boards_connected
from controller.store.protocols import NS
from tenone.vocabulary.states import Verdict

from .watched import Bench


@pytest.mark.parametrize(
    ("online", "age", "agent", "expected"),
    [
        (1, 5.0, True, Verdict.GOOD),
        (0, 5.0, True, Verdict.BAD),
        (-1, 5.0, True, Verdict.UNKNOWN),
        (1, BOARD_STALE_SECONDS + 1, True, Verdict.UNKNOWN),
        (0, 5.0, False, Verdict.UNKNOWN),
    ],
)
def test_boards_connected(online: int, age: float, agent: bool, expected: Verdict) -> None:
    live = Bench().live
    now_ns = 1000 * NS
    live.boards.online[0] = online
    live.boards.evidence_ns[0] = now_ns - round(age * NS)
    live.agents.online[:] = agent
    verdicts = boards_connected(live.numbering, live.boards, live.agents, now_ns)
    link = live.numbering.link_number
    assert verdicts[link["no1/c301"]] == expected
    assert verdicts[link["no1/c302"]] == Verdict.UNKNOWN, "its room has no board"
