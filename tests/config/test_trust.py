from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tenone.config.trust import Trust

HTTPS = "https://witness.example/heads"


def trust(values: dict[str, Any], base: Path = Path("/etc/tenone")) -> Trust:
    return Trust.model_validate(values, context={"base": base})


def test_what_it_is_without_a_word() -> None:
    found = trust({})
    assert (found.ledger.hash, found.ledger.retention_days, found.anchors, found.siem) == (
        "sha256",
        None,
        (),
        None,
    )


@pytest.mark.parametrize(
    "values",
    [
        {"ledger": {"retention_days": 180}},
        {"ledger": {"retention_days": "400d", "hash": "sm3"}},
        {"anchors": [{"file": "x"}, {"url": HTTPS, "token": "env:T", "ca": "ca.pem"}]},
        {"siem": {"host": "10.0.0.1", "ca": "ca.pem"}},
        {"siem": {"file": "x.jsonl"}},
    ],
)
def test_accepted(values: dict[str, Any]) -> None:
    trust(values)


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"ledgr": {}}, "Extra inputs"),
        ({"ledger": {"retention_days": 179}}, "180 days at least"),
        ({"ledger": {"retention_days": "24h"}}, "180 days at least"),
        ({"ledger": {"hash": "md5"}}, "sha256"),
        ({"anchors": [{}]}, "either a 'file' or a 'url'"),
        ({"anchors": [{"file": "x", "url": HTTPS}]}, "either"),
        ({"anchors": [{"file": "x", "token": "env:T"}]}, "no 'token'"),
        ({"anchors": [{"url": "http://witness.example"}]}, "pattern"),
        ({"anchors": [{"url": "https://name:word@witness.example"}]}, "pattern"),
        ({"anchor_seconds": 0.5}, "greater than or equal to 1"),
        ({"ca": {"algorithm": "SM2"}}, "not offered"),
        ({"ca": {"algorithm": "rsa"}}, "ecdsa-p256"),
        ({"ca": {"url": "https://a/b"}}, "pattern"),
        ({"ca": {"server_days": 399}}, "less than or equal"),
        ({"siem": {}}, "either to a 'host' or to a 'file'"),
        ({"siem": {"host": "a", "file": "b"}}, "either"),
        ({"siem": {"host": "a", "transport": "udp", "ca": "x"}}, "'transport: tls' only"),
    ],
)
def test_refused(values: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        trust(values)


@pytest.mark.parametrize(
    ("values", "port"),
    [({}, 6514), ({"transport": "tcp"}, 601), ({"transport": "udp"}, 514), ({"port": 99}, 99)],
)
def test_the_port(values: dict[str, Any], port: int) -> None:
    siem = trust({"siem": {"host": "10.0.0.1", **values}}).siem
    assert siem is not None
    assert siem.at_port == port


def test_networks_that_webhooks_may_be_in() -> None:
    made = Trust.model_validate({"outward_allow": ["10.1.0.0/16", "fd00::/8", "127.0.0.1"]})
    assert [str(one) for one in made.outward_allow] == ["10.1.0.0/16", "fd00::/8", "127.0.0.1/32"]


@pytest.mark.parametrize("text", ["10.1.2.3/16", "hooks.example", "0x7f.1", "10.0.0.0/33", ""])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match=r"is no network"):
        Trust.model_validate({"outward_allow": [text]})
