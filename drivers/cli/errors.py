"""What can go wrong at a switch's command line. Sentences name the switch, never a secret."""


class CliError(Exception):
    """One sentence."""

    code = "cli"


class LoginError(CliError):
    """A switch that does not answer, or does not let us in."""

    code = "login-refused"


class AccessDeniedError(LoginError):
    """The switch answers and does not take the password: a few more tries may lock the account."""

    code = "access-denied"


class LineRefusedError(CliError):
    """The switch did not take a line; the lines after it were not sent."""

    code = "line-refused"

    def __init__(self, number: int, sentence: str) -> None:
        self.number = number
        """Which one of the lines that were to be sent, from 0."""
        super().__init__(sentence)


class SessionLostError(CliError):
    """The session ended, or no answer came in time: whether the last line was done is unknown."""

    code = "session-lost"

    def __init__(self, number: int, sentence: str) -> None:
        self.number = number
        """The line after which nothing was heard; lines before it were answered."""
        super().__init__(sentence)


class BadPortError(CliError):
    """A port name that the switch's grammar does not have: it never becomes a line."""

    code = "bad-port"


class UnreadableError(CliError):
    """An answer that is not understood: nothing is changed where the way back is not known."""

    code = "unreadable"


class CannotError(CliError):
    """This dialect, or this port as it is set, does not allow what is wanted."""

    code = "cannot"


class UnsafePlanError(CliError):
    """Lines that, read back, do not mean what they were made for: none of them is typed."""

    code = "unsafe-plan"


class SetSoAlreadyError(CannotError):
    """There is nothing to do: the port is set as it is wanted."""

    code = "set-so-already"
