"""A session over real SSH: lines one after the other, refusals, cuts at each line, hangs."""

import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from drivers.cli.console import ConsoleLogin
from drivers.cli.dialect import Ask, Line
from drivers.cli.errors import (
    AccessDeniedError,
    LineRefusedError,
    LoginError,
    SessionLostError,
)
from drivers.cli.hostkeys import HostKeyChangedError, HostKeyStore, HostKeyUnknownError
from drivers.cli.manners import Manners
from drivers.cli.session import Session
from drivers.cli.ssh import Login
from tenone.trust.masked import Secret
from tests.switch_cli.scripted import CUT, ENABLE, HANG, KEY, PASSWORD, ScriptedSwitch

MANNERS = Manners(
    device_type="terminal_server",
    prompt=re.compile(r"(?:^|[\r\n])(?:<[^<>\s]{1,60}>|\[[^\[\]\s]{1,60}\])\s?\Z"),
    refusals=(re.compile(r"(?m)^Error: .*"),),
    quiet=(Line("undo terminal monitor"),),
    leave=(Line("return"),),
    raises="super",
)
STEP = (Line("system-view"), Line("interface GE1"), Line("negotiation auto"), Line("return"))
Opens = Callable[..., Session]


@pytest.fixture
def opens(scripted: ScriptedSwitch, host_keys: HostKeyStore) -> Iterator[Opens]:
    sessions = []

    def opened(password: str = PASSWORD, enable: str | None = None) -> Session:
        login = Login(
            host="127.0.0.1", port=scripted.port, username="tenone", password=Secret(password),
            device_type="terminal_server", enable=None if enable is None else Secret(enable),
        )  # fmt: skip
        sessions.append(Session.open(login, host_keys, MANNERS))
        return sessions[-1]

    yield opened
    for session in sessions:
        session.close()


def test_one_after_the_other(scripted: ScriptedSwitch, opens: Opens) -> None:
    scripted.answers["display this"] = (
        b"#\r\ninterface GE1\r\n<SW>", 0.1, b"\r\n speed 100\r\n[SW-GE1]", 0.1, b"\r\n#\r\n",
    )  # fmt: skip
    session = opens()
    del scripted.typed[:]
    told: list[int] = []
    lines = (*STEP[:2], Line("display this"), *STEP[2:])
    answers = session.run(lines, told=told.append)
    assert answers == ["", "", "#\ninterface GE1\n<SW>\n speed 100\n[SW-GE1]\n#", "", ""]
    assert scripted.typed == [line.text for line in lines]
    assert told == [0, 1, 2, 3, 4]
    session.close()
    session.close()
    with pytest.raises(SessionLostError, match="the session is over"):
        session.run(STEP)


def test_a_refusal_stops_and_the_session_goes_on(scripted: ScriptedSwitch, opens: Opens) -> None:
    scripted.answers["negotiation auto"] = (b"  ^\r\nError: Unrecognized \x07command.\r\n",)
    session = opens()
    del scripted.typed[:]
    with pytest.raises(LineRefusedError) as caught:
        session.run(STEP)
    assert caught.value.number == 2
    assert "does not take 'negotiation auto': Error: Unrecognized command." in str(caught.value)
    assert scripted.typed == ["system-view", "interface GE1", "negotiation auto"]
    optional = [*STEP[:2], Line("negotiation auto", optional=True, pause=0.01), STEP[3]]
    assert len(session.run(optional)) == 4


def test_questions_pages_and_letters(scripted: ScriptedSwitch, opens: Opens) -> None:
    scripted.answers |= {
        "save": (b"Are you sure? [Y/N]:", KEY, b"\r\nSaved.\r\n"),
        "display version": (
            b"one\r\n  ---- More ----",
            KEY,
            b"\x1b[16D" + b" " * 16 + b"\x1b[16Dtwo\r\n",
        ),
        "display class": ("三班".encode("gb18030"), b"\r\n"),
    }
    session = opens()
    saved, version, letters = session.run(
        [Line("save", (Ask(r"\[Y/N\]:$", "Y"),)), Line("display version"), Line("display class")]
    )
    assert "Saved." in saved
    assert [one.strip() for one in version.split("\n")] == ["one", "two"]
    assert letters == "三班"


@pytest.mark.slow
@pytest.mark.parametrize("number", range(4))
def test_cut_at_each_line(number: int, scripted: ScriptedSwitch, opens: Opens) -> None:
    session = opens()
    scripted.answers[STEP[number].text] = (b"", CUT)
    with pytest.raises(SessionLostError, match="the session ended") as caught:
        session.run(STEP)
    assert caught.value.number == number
    assert session.lost


@pytest.mark.slow
def test_silence_is_not_waited_for_longer_than_said(scripted: ScriptedSwitch, opens: Opens) -> None:
    scripted.answers["display slow"] = (b"half a line", HANG)
    session = opens()
    with pytest.raises(SessionLostError, match=r"no prompt came within 0\.2 s") as caught:
        session.run([Line("system-view"), Line("display slow", seconds=0.2)])
    assert caught.value.number == 1


def test_an_answer_without_end(scripted: ScriptedSwitch, opens: Opens) -> None:
    scripted.answers["display all"] = [b"x" * 50_000] * 60
    with pytest.raises(SessionLostError, match="more than 2000000 bytes"):
        opens().run([Line("display all")])


@pytest.mark.slow
def test_cut_by_another_thread(scripted: ScriptedSwitch, opens: Opens) -> None:
    scripted.answers["display slow"] = (HANG,)
    session = opens()
    threading.Timer(0.05, session.cut).start()
    with pytest.raises(SessionLostError):
        session.run([Line("display slow", seconds=30)])


def test_nothing_is_typed_where_a_line_holds_another(
    scripted: ScriptedSwitch, opens: Opens
) -> None:
    session = opens()
    del scripted.typed[:]
    for bad in ("a\nreboot", "a\rreboot", "a\x1a", "a\x00", "a\u2028b", "a\x9bb"):
        with pytest.raises(LineRefusedError, match="nothing was typed") as caught:
            session.run([Line("system-view"), Line(bad)])
        assert caught.value.number == 1
    assert scripted.typed == []


@pytest.mark.slow
def test_the_second_password(scripted: ScriptedSwitch, opens: Opens) -> None:
    scripted.answers["super"] = (b"Password:", KEY, b"\r\nNow user privilege is level 15\r\n")
    opens(enable=ENABLE)
    change = b"\r\nDo you want to change the password(yes/no):"
    scripted.answers["super"] = (b"Password:", KEY, change, KEY, b"\r\n")
    scripted.keys = b""
    opens(enable=ENABLE)
    assert scripted.keys.split() == [ENABLE.encode(), b"no"]
    scripted.answers["super"] = (b"Password:", KEY, b"\r\nError: Authentication failed.\r\n")
    with pytest.raises(LoginError) as caught:
        opens(enable=ENABLE)
    assert ENABLE not in str(caught.value)


def test_a_login_says_no_to_whatever_it_is_asked(
    scripted: ScriptedSwitch, host_keys: HostKeyStore
) -> None:
    """netmiko would say yes to a change of the configuration, and to saving it."""
    scripted.greeting = (
        b"\r\nWarning: The initial password poses security risks. Change now? [Y/N]:", KEY,
        b"\r\nThere are security risks in the configuration file. Mend them? [y/n]:", KEY, b"\r\n",
    )  # fmt: skip
    login = Login(
        host="127.0.0.1", port=scripted.port, username="tenone", password=Secret(PASSWORD),
        device_type="huawei",
    )  # fmt: skip
    session = Session.open(login, host_keys, MANNERS)
    assert session.run([Line("display this")]) == [""]
    session.close()
    assert scripted.keys.split() == [b"N", b"N"]


def test_a_login_that_ends_at_once(scripted: ScriptedSwitch, opens: Opens) -> None:
    scripted.answers["undo terminal monitor"] = (CUT,)
    with pytest.raises(LoginError, match="right after the login"):
        opens()


def test_wrong_password_wrong_key_no_key(
    scripted: ScriptedSwitch, opens: Opens, host_keys: HostKeyStore, console_login: ConsoleLogin
) -> None:
    with pytest.raises(AccessDeniedError, match="does not let 'tenone' in") as caught:
        opens("canary-wrong")
    assert "canary" not in str(caught.value)
    assert scripted.logins == 0
    pins = host_keys.path.read_text()
    other = ScriptedSwitch()
    other.start()
    key = other.host_key
    other.stop()
    host_keys.unpin("127.0.0.1", scripted.port)
    with pytest.raises(HostKeyUnknownError):
        opens()
    host_keys.pin("127.0.0.1", scripted.port, key, key.fingerprint)
    with pytest.raises(HostKeyChangedError):
        opens()
    assert scripted.logins == 0
    host_keys.path.write_text(pins)
    assert opens().host_key == scripted.host_key


@pytest.mark.slow
def test_closing_waits_for_nobody(scripted: ScriptedSwitch, opens: Opens) -> None:
    """netmiko's own disconnect talks to the switch for ten seconds and more."""
    session = opens()
    scripted.answers["quit"] = scripted.answers[""] = (HANG,)
    began = time.monotonic()
    session.close()
    assert time.monotonic() - began < 5, "no dialogue"
    assert "quit" not in scripted.typed
