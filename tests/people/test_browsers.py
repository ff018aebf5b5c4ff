"""Cookies of known browsers: whose they are, until when, under which keys."""

import base64
import json
import re
from pathlib import Path

import pytest

from controller.trust.people.browsers import (
    KEPT_SECONDS,
    KEYS_FILE,
    MOST_TOKEN,
    MOST_TOKENS,
    RENEW_SECONDS,
    BrowserKeys,
    new_id,
)
from tenone.trust.files import KeyFileError

NOW = 1_790_000_000.0
END = NOW + KEPT_SECONDS


def test_a_token_is_one_accounts_and_ends() -> None:
    keys, browser = BrowserKeys(), new_id()
    token = keys.seal(browser, "chen", END, NOW)
    assert len(token) <= MOST_TOKEN
    assert keys.open(token, "chen", NOW) == browser
    for account, now in (("li", NOW), ("chen", END), ("", NOW), ("chen ", NOW)):
        assert keys.open(token, account, now) == ""
    assert BrowserKeys().open(token, "chen", NOW) == "", "keys of another controller"


def test_a_token_tells_nothing_and_takes_no_change() -> None:
    keys, browser = BrowserKeys(), new_id()
    token = keys.seal(browser, "chen", END, NOW)
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert bytes.fromhex(browser) not in raw
    assert b"chen" not in raw
    assert keys.seal(browser, "chen", END, NOW) != token
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1
        text = base64.urlsafe_b64encode(bytes(changed)).decode().rstrip("=")
        assert keys.open(text, "chen", NOW) == "", place


@pytest.mark.parametrize(
    "shown",
    [
        "",
        ".",
        "....",
        "x",
        "A" * 76,
        "A" * 100_000,
        "中文",
        "%00",
        "=" * 8,
        "." * 10_000,
        "\x00",
        "a\r\nset-cookie: x=y",
        "a; b",
        'a"b',
        "\xff",
    ],
)
def test_what_is_no_cookie_knows_nobody(shown: str) -> None:
    keys = BrowserKeys()
    keys.seal(new_id(), "chen", END, NOW)
    assert keys.shown(shown, "chen", NOW) == ""
    given = keys.cookie(shown, "chen", new_id(), END, NOW)
    assert len(given) <= (MOST_TOKEN + 1) * MOST_TOKENS
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", given), "what is given back is a cookie's text"


def test_a_browser_remembers_a_few_accounts_the_newest_first() -> None:
    keys, cookie, ids = BrowserKeys(), "", {}
    for name in ("a", "b", "c", "a", "d", "e"):
        ids[name] = new_id()
        cookie = keys.cookie(cookie, name, ids[name], END, NOW)
    known = {name: keys.shown(cookie, name, NOW) for name in "abcde"}
    assert known == {name: ids[name] if name != "b" else "" for name in "abcde"}


def test_keys_are_renewed_and_old_ones_kept_as_long_as_their_cookies(tmp_path: Path) -> None:
    path, browser = tmp_path / KEYS_FILE, new_id()
    first = BrowserKeys(path).seal(browser, "chen", END, NOW)
    assert path.stat().st_mode & 0o077 == 0
    later = BrowserKeys(path)
    second = later.seal(browser, "chen", END, NOW + RENEW_SECONDS)
    again = BrowserKeys(path)
    assert [again.open(one, "chen", NOW + RENEW_SECONDS) for one in (first, second)] == [
        browser
    ] * 2
    assert len(json.loads(path.read_bytes())) == 2
    after = NOW + RENEW_SECONDS + KEPT_SECONDS + 1
    again.seal(browser, "chen", after + 60, after)
    assert again.open(first, "chen", NOW) == "", "its key is gone"
    for step in range(1, 40):  # a clock that jumps about makes keys, and not without end
        again.seal(browser, "chen", END, after - step * RENEW_SECONDS)
    assert len(json.loads(path.read_bytes())) <= 10


def test_a_file_that_holds_no_keys_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / KEYS_FILE
    for text in ("{}x", '[{"id": "zz"}]', "[1]", '{"a": 1}'):
        path.write_text(text)
        path.chmod(0o600)
        with pytest.raises(KeyFileError, match="delete it"):
            BrowserKeys(path)
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        BrowserKeys(path)
