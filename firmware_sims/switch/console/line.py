"""One session at a switch's command line: lines in, text out."""

from firmware_sims.switch.console.comware import Comware
from firmware_sims.switch.console.ios import Ios
from firmware_sims.switch.console.ruijie import Ruijie
from firmware_sims.switch.console.shell import Shell
from firmware_sims.switch.console.vrp5 import Vrp5
from firmware_sims.switch.console.vrp8 import Vrp8
from firmware_sims.switch.console.zte import Zte
from firmware_sims.switch.model import Switch
from tenone.vocabulary.intents import Dialect

SHELLS: dict[Dialect, type[Shell]] = {
    Dialect.HUAWEI_VRP5: Vrp5,
    Dialect.HUAWEI_VRP8: Vrp8,
    Dialect.COMWARE: Comware,
    Dialect.RUIJIE: Ruijie,
    Dialect.ZTE: Zte,
    Dialect.CISCO_IOS: Ios,
}


class CommandLine:
    r"""A session that has logged in. Texts have ``\\n`` line ends and no echo of what is typed."""

    def __init__(
        self, switch: Switch, dialect: Dialect, *, user: str = "tenone", enable: str = ""
    ) -> None:
        """``enable``: the second password IOS-likes ask for; empty logs in privileged there.

        Raises ValueError for a dialect that is not spoken here.
        """
        if dialect not in SHELLS:
            raise ValueError(
                f"no simulated switch speaks {dialect.value}: use one of {', '.join(SHELLS)}"
            )
        self.dialect = dialect
        switch.tick()
        _ = switch.store  # what it starts with is what runs when a console is first used
        self._shell = SHELLS[dialect](switch, user=user, enable=enable)

    @property
    def greeting(self) -> str:
        """What is shown after the login, the prompt at its end."""
        return self._shell.banner + self._shell.prompt

    @property
    def prompt(self) -> str:
        """What stands before the next line: a prompt, a question, or a page's end."""
        return self._shell.prompt

    @property
    def closed(self) -> bool:
        """Whether the session has ended itself."""
        return self._shell.closed

    @property
    def hidden(self) -> bool:
        """Whether the next line is a password, so that it is not echoed."""
        return self._shell.hidden

    @property
    def paging(self) -> bool:
        """Whether the next input is a key (blank, Enter, q), not a line."""
        return bool(self._shell.rest)

    def type(self, line: str) -> str:
        """Type ``line`` and Enter; returns what is printed, the next prompt at its end."""
        if self.closed:
            raise ValueError("this session has ended: open another")
        printed = self._shell.type(line)
        if self._shell.closed:
            self._shell.left()
        return printed

    def close(self) -> None:
        """The session is cut here: the vendor's consequences follow."""
        if not self._shell.closed:
            self._shell.closed = True
            self._shell.switch.tick()
            self._shell.left()
