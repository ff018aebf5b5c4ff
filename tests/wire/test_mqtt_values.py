import random

from drivers.wire.mqtt import Backoff, Endpoint


def test_back_off_doubles_with_jitter_and_starts_over() -> None:
    backoff = Backoff(first_seconds=1.0, longest_seconds=8.0, random_source=random.Random(4))
    pauses = [backoff.pause() for _ in range(6)]
    for pause, limit in zip(pauses, (1, 2, 4, 8, 8, 8), strict=True):
        assert limit / 2 <= pause <= limit
    assert len(set(pauses)) == 6
    backoff.reset()
    assert backoff.pause() <= 1.0


def test_an_endpoint_shows_no_password() -> None:
    endpoint = Endpoint(host="broker", port=8883, username="no3", password="secret")
    assert str(endpoint) == "broker:8883"
    assert "secret" not in repr(endpoint)
