"""Ports grow without forgetting."""

from controller.state.columns import NEVER, Ports


def test_growing_keeps_values_and_never() -> None:
    ports = Ports()
    first = ports.add(3)
    assert first == 1
    ports.oper[2] = 1
    ports.evidence_ns[2] = 77
    second = ports.add(5000)
    assert second == 4
    assert (ports.oper[2], ports.evidence_ns[2]) == (1, 77)
    assert set(ports.evidence_ns[3:].tolist()) == {NEVER}
    assert not ports.seen.any()
    assert len(ports.admin) >= ports.count
