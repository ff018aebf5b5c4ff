"""What a browser calls itself, in two words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.api.browser_names import device_of
from controller.api.sessions import MOST_DEVICE

TABLE = [
    ("Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36 Edg/131.0",
     "Edge, Windows"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox, Linux"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18 Safari/604",
     "Safari, iPhone"),
    ("Mozilla/5.0 (Linux; Android 14) AppleWebKit Chrome/122 Mobile MicroMessenger/8.0",
     "WeChat, Android"),
    ("curl/7.88.1", "curl"),
    ("python-httpx/0.28", "Python"),
    ("", ""),
    ("<script>", ""),
]  # fmt: skip


@pytest.mark.parametrize(("header", "said"), TABLE)
def test_names(header: str, said: str) -> None:
    assert device_of(header) == said


@given(st.text())
def test_whatever_is_written_there_is_two_known_words(header: str) -> None:
    said = device_of(header)
    assert len(said) <= MOST_DEVICE
    assert said.isascii()
