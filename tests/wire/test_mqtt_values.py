import math
import random

import pytest

from drivers.wire.mqtt import Backoff, ConnectionLostError, Endpoint
from drivers.wire.mqtt_values import SESSION_TAKEN_OVER

NS = 10**9


def test_back_off_doubles_with_jitter_and_starts_over() -> None:
    backoff = Backoff(first_seconds=1.0, longest_seconds=8.0, random_source=random.Random(4))
    pauses = [backoff.pause(0) for _ in range(6)]
    for pause, limit in zip(pauses, (1, 2, 4, 8, 8, 8), strict=True):
        assert limit / 2 <= pause <= limit
    assert len(set(pauses)) == 6
    backoff.connected(0)
    assert backoff.pause(11 * NS) <= 1.0


@pytest.mark.parametrize(("reason", "most"), [(None, 200), (SESSION_TAKEN_OVER, 50)])
def test_two_with_one_name_do_not_throw_each_other_out_several_times_a_second(
    reason: int | None, most: int
) -> None:
    """Each connects when its pause is over, and so ends the other's connection."""
    twins = [Backoff(), Backoff()]
    due = [0.0, 0.1]
    takeovers = 0
    while min(due) < 600:
        who = due.index(min(due))
        now = due[who]
        due[who] = math.inf
        twins[who].connected(round(now * NS))
        if math.isinf(due[1 - who]):
            takeovers += 1
            lost = ConnectionLostError("thrown out", reason)
            due[1 - who] = now + twins[1 - who].pause(round(now * NS), lost)
    assert 0 < takeovers < most


def test_an_endpoint_shows_no_password() -> None:
    endpoint = Endpoint(host="broker", port=8883, username="no3", password="secret")
    assert str(endpoint) == "broker:8883"
    assert "secret" not in repr(endpoint)
