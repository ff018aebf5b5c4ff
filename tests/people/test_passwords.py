"""What is refused as a password, and that unknown names are hashed as well."""

import pytest

from controller.trust.people.passwords import Hashing, WeakPasswordError, check, normal
from tests.people.conftest import CHEAP


@pytest.mark.parametrize(
    "bad",
    [
        "short", "elevenchars", "x" * 257, "password1234", "PASSWORD!!!!2026", "123456789012",
        "aaaaaaaaaaaa", "abcabcabcabc", "abcdefghijkl", "Qwertyuiop12", "!!!!!!!!!!!!",
        "wangfang-2026x",
    ],
)  # fmt: skip
def test_what_is_tried_first_is_refused(bad: str) -> None:
    with pytest.raises(WeakPasswordError):
        check(bad, "wangfang")


@pytest.mark.parametrize(
    "good", ["a long walk by the sea", "每天早上六点去操场跑步锻炼", "zk4!pQ9-vTm2"]
)
def test_length_is_what_counts(good: str) -> None:
    check(good, "wangfang", "li")


def test_hashes_are_argon2id_with_64_mib_and_the_same_keys_match() -> None:
    kept = Hashing().hash("a long walk by the sea")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    cheap = Hashing(CHEAP)
    fullwidth = "\uff41 long walk by the sea"
    assert normal(fullwidth) == "a long walk by the sea"
    assert cheap.verify(cheap.hash("a long walk by the sea"), fullwidth)
    assert not cheap.verify(None, "a long walk by the sea")
    assert not cheap.verify("no hash at all", "x")
