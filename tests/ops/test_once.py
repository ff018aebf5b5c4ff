"""A word is good once for a session, and given back where nothing was done."""

from dashboards.ops.once import MOST_WORDS, Once


def test_once_for_each_session() -> None:
    once, word = Once(), Once.word()
    assert once.take("a", word)
    assert not once.take("a", word)
    assert once.take("b", word)
    once.give_back("a", word)
    assert once.take("a", word)
    assert once.take("a", "")
    assert once.take("a", ""), "a form without a word is a program's, or an old one"


def test_bounded_and_never_the_same() -> None:
    once = Once()
    assert len({Once.word() for _ in range(50)}) == 50
    for number in range(MOST_WORDS + 1):
        assert once.take("a", str(number))
    assert once.take("a", "0")
    assert not once.take("a", str(MOST_WORDS))
