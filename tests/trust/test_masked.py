"""A secret in memory gives itself away by none of the ways that happen by accident."""

import copy
import json
import logging
import pickle
import traceback
from dataclasses import asdict, dataclass

import pytest

from tenone.trust.masked import MASK, Secret

CANARY = "canary-7f3a"


@dataclass(frozen=True)
class Holder:
    secret: Secret


WAYS = [
    str,
    repr,
    lambda s: f"{s}",
    lambda s: f"{s!r:>40}",
    lambda s: f"{s:>40}",
    "{}".format,
    lambda s: "%s %r" % (s, s),  # noqa: UP031 - likewise
    lambda s: str(Holder(s)),
    lambda s: str(asdict(Holder(s))),
    lambda s: str([s, {s: s}]),
    lambda s: json.dumps(Holder(s), default=str),
]


@pytest.mark.parametrize("way", WAYS)
def test_masked(way: object) -> None:
    assert callable(way)
    shown = way(Secret(CANARY))
    assert CANARY not in shown
    assert MASK in shown


def test_no_way_out_but_use(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(CANARY)
    assert secret.use() == CANARY
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not pickled") as caught:
            pickle.dumps(Holder(secret), protocol)
        assert CANARY not in str(caught.value)
    with pytest.raises(TypeError) as refused:
        json.dumps(secret)
    assert CANARY not in "".join(traceback.format_exception(refused.value))
    assert not hasattr(secret, "__dict__")
    logging.getLogger("t").error("failed: %s %r", secret, secret)
    assert CANARY not in caplog.text


def test_equality_and_copies() -> None:
    secret = Secret(CANARY)
    assert secret == Secret(CANARY)
    assert secret != Secret("other")
    assert secret != CANARY
    assert Secret.of(secret) is secret
    assert Secret.of(CANARY) == secret
    assert copy.deepcopy(Holder(secret)).secret is secret
    assert copy.copy(secret) is secret
    assert len({secret, Secret(CANARY)}) == 1
    assert not Secret("")
