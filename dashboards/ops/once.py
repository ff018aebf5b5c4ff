"""Forms that must not be carried out twice: each is given a word that is good once."""

import secrets
from collections import OrderedDict

MOST_WORDS = 5000


class Once:
    """Words that were used, bounded; a restart forgets them, and with them a form of before it."""

    def __init__(self) -> None:
        self._used: OrderedDict[tuple[str, str], None] = OrderedDict()

    @staticmethod
    def word() -> str:
        """For a form that is about to be shown."""
        return secrets.token_hex(12)

    def take(self, session: str, word: str) -> bool:
        """Whether a session uses ``word`` for the first time; an empty one is always the first."""
        key = (session, word)
        if not word:
            return True
        if key in self._used:
            return False
        self._used[key] = None
        while len(self._used) > MOST_WORDS:
            self._used.popitem(last=False)
        return True

    def give_back(self, session: str, word: str) -> None:
        """What it was for was not done: the form may be sent again."""
        self._used.pop((session, word), None)
