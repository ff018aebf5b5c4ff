"""Linux: exact lines, what ethtool and ip print, a real bash, a real port where there is one."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cli.dialect import CableState, Dialect, Line, Pair, PortMode, PortSettings
from drivers.cli.dialects.linux import KEEP, Linux
from drivers.cli.errors import BadPortError, CannotError, UnreadableError
from drivers.cli.plans import back, plan
from drivers.cli.settings import same, set_all
from tenone.vocabulary.intents import Intent
from tenone.vocabulary.states import Duplex
from tests.switch_cli.hostile import attack_descriptions, attack_names

LINUX = Linux()
GOOD = PortSettings(mode=PortMode.UNSET)
SLOW = replace(GOOD, negotiation=False, speed_mbps=100, duplex=Duplex.HALF)
UP = (
    "7: c1: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc fq_codel state DOWN \\    link/ether"
)
DOWN = UP.replace(",UP", "")
ETHTOOL = """Settings for c1:
\tSupported ports: [  ]
\tSupports auto-negotiation: No
\tAdvertised auto-negotiation: No
\tSpeed: 100Mb/s
\tDuplex: Half
\tAuto-negotiation: off
\tPort: Twisted Pair
        Current message level: 0x00000000 (0)
                              \n\
\tLink detected: no
"""
CABLE = """Cable test started for device c1.
Cable test completed for device c1.
Pair A code OK
Pair B code Open Circuit
Pair B, fault length: 12.40m
Pair C code Short within Pair
Pair D code Short to another pair
"""


def texts(lines: tuple[Line, ...]) -> list[str]:
    return [line.text for line in lines]


@pytest.mark.parametrize(
    ("intent", "before", "apply", "undo", "keep"),
    [
        (Intent.RESTORE_NEGOTIATION, SLOW, ["sudo -n ethtool -s c1 autoneg on"],
         ["sudo -n ethtool -s c1 autoneg off speed 100 duplex half"], (KEEP,)),
        (Intent.BOUNCE_PORT, GOOD,
         ["sudo -n ip link set dev c1 down", "sudo -n ip link set dev c1 up"],
         ["sudo -n ip link set dev c1 up"], ()),
        (Intent.ENABLE_PORT, replace(SLOW, enabled=False), ["sudo -n ip link set dev c1 up"],
         ["sudo -n ip link set dev c1 down"], (KEEP,)),
        (Intent.CABLE_DIAGNOSIS, GOOD, ["sudo -n ethtool --cable-test c1"], [], ()),
    ],
)  # fmt: skip
def test_lines(
    intent: Intent,
    before: PortSettings,
    apply: list[str],
    undo: list[str],
    keep: tuple[Line, ...],
) -> None:
    change = plan(LINUX, intent, "c1", before)
    assert texts(change.apply) == apply
    assert texts(change.undo) == undo
    assert change.keep == keep
    assert (change.prepare, change.confirm, change.revert_seconds) == ((), (), None)


@pytest.mark.parametrize(
    "intent",
    [Intent.CYCLE_POE, Intent.EXAM_PRIORITY, Intent.QUARANTINE, Intent.RELEASE,
     Intent.SAVE_CONFIGURATION],
)  # fmt: skip
def test_what_a_host_has_not(intent: Intent) -> None:
    before = replace(GOOD, mode=PortMode.ACCESS, access_vlan=99)
    before = before if intent is Intent.RELEASE else GOOD
    with pytest.raises(CannotError):
        plan(LINUX, intent, "c1", before, quarantine_vlan=99)
    with pytest.raises(CannotError):
        LINUX.show_configuration()


def forced_or_not() -> st.SearchStrategy[PortSettings]:
    return st.builds(
        lambda enabled, forced: replace(GOOD, enabled=enabled, **(forced or {})),
        st.booleans(),
        st.none()
        | st.fixed_dictionaries(
            {
                "negotiation": st.sampled_from([False]),
                "speed_mbps": st.integers(1, 400_000),
                "duplex": st.sampled_from([Duplex.HALF, Duplex.FULL]),
            }
        ),
    )


@given(before=forced_or_not(), after=forced_or_not())
def test_lines_mean_what_differs(before: PortSettings, after: PortSettings) -> None:
    lines = LINUX.set_port("c1", before, after)
    read = LINUX.meant(texts(lines))
    assert (read.strange, read.saves) == ((), False)
    assert same(set_all(before, read.sets), after)
    assert read.ports == (set() if same(before, after) else {"c1"})
    assert lines == back(LINUX, "c1", before, after)


@given(now=forced_or_not(), carrier=st.sampled_from(["Unknown!", "10Mb/s", "1000Mb/s"]))
def test_what_is_shown_is_read(now: PortSettings, carrier: str) -> None:
    shown = ETHTOOL.replace("Auto-negotiation: off", "Auto-negotiation: on").replace(
        "100Mb/s", carrier
    )
    if not now.negotiation:
        assert now.duplex is not None
        shown = ETHTOOL.replace("100Mb/s", f"{now.speed_mbps}Mb/s").replace(
            "Half", now.duplex.name.capitalize()
        )
    assert LINUX.read_port("c1", [shown, UP if now.enabled else DOWN]) == now


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([], "instead of two"),
        ([ETHTOOL], "instead of two"),
        ([ETHTOOL, UP, ""], "instead of two"),
        (["", UP], "how c1 is set"),
        ([ETHTOOL.replace("c1:", "c2:"), UP], "how c1 is set"),
        ([ETHTOOL * 2, UP], "how c1 is set"),
        ([ETHTOOL + "\tSpeed: 1000Mb/s\n", UP], "twice"),
        ([ETHTOOL.replace("\tDuplex: Half\n", ""), UP], "speed, duplex and negotiation"),
        ([ETHTOOL.replace("100Mb/s", "Unknown!"), UP], "at what it is set"),
        ([ETHTOOL.replace("Half", "Unknown! (255)"), UP], "at what it is set"),
        ([ETHTOOL.replace(": off", ": perhaps"), UP], "at what it is set"),
        ([ETHTOOL, ""], "is open"),
        ([ETHTOOL, UP.replace("c1", "c2")], "is open"),
        ([ETHTOOL, UP + "\n8: c1: <UP> x"], "is open"),
        ([ETHTOOL, 'Device "c1" does not exist.\ntenone: failed 1'], "is open"),
    ],
)
def test_unreadable(answers: list[str], why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        LINUX.read_port("c1", answers)


def test_sudo_that_cannot_look_up_its_host_is_heard_out() -> None:
    warning = "sudo: unable to resolve host sw: Temporary failure in name resolution\r\n"
    assert LINUX.read_port("c1", [warning + ETHTOOL, f"{warning}{UP}\r\n"]) == SLOW
    assert not refused(warning)
    assert refused("sudo: a password is required\r\ntenone: failed 1\r\n")


def test_a_port_of_a_pair_and_its_alias() -> None:
    line = '9: c1@if8: <BROADCAST,UP,LOWER_UP> mtu 1500 \\    alias 10: c2: <> "x"\r\n'
    assert LINUX.read_port("c1", [ETHTOOL, line]) == SLOW


@pytest.mark.parametrize(
    "lines",
    [
        ["reboot"],
        ["sudo -n ip link set dev c1 up; reboot"],
        ["sudo -n ip link set dev c1;reboot up"],
        ["sudo -n ip link set dev $(reboot) up"],
        ["sudo -n ethtool -s c1 autoneg off speed ١٠٠ duplex full"],
        ["sudo -n ethtool -s c1 autoneg off speed 100 duplex auto"],
        ["sudo  -n ethtool -s c1 autoneg on"],
        ["sudo -n ethtool -s c1 autoneg on wol d"],
        ["sudo -n ethtool -s --help autoneg on"],
        [""],
    ],
)
def test_lines_of_nobody_are_strange(lines: list[str]) -> None:
    assert LINUX.meant(lines).strange == tuple(lines)


@pytest.mark.parametrize(
    "name", ["", "-s", "c1 ", "c1;reboot", "c1\n", "$(c1)", "a" * 16, "c1/..", "ｃ1", ".."]
)
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(BadPortError):
        LINUX.set_port(name, GOOD, SLOW)
    with pytest.raises(BadPortError):
        LINUX.test_cable(name)


@pytest.mark.parametrize(
    "prompt",
    ["root@school-switch:~# ", "admin@host:~$ ", "[root@host ~]# ", "tenone$ ", "$ ", "# ",
     "sh-5.2# "],
)  # fmt: skip
def test_prompts(prompt: str) -> None:
    found = LINUX.prompt.search(f"Settings for c1:\n{prompt}")
    assert found is not None
    assert found.end() == len(f"Settings for c1:\n{prompt}")


@pytest.mark.parametrize("line", ["\tLink detected: no", "7: c1: <UP> mtu", "Duplex: Half $"])
def test_no_prompts(line: str) -> None:
    assert LINUX.prompt.search(f"answer\n{line}") is None


@pytest.mark.parametrize(
    ("answer", "pairs"),
    [
        (CABLE,
         [("A", CableState.OK, None), ("B", CableState.OPEN, 12.4),
          ("C", CableState.SHORT, None), ("D", CableState.CROSSTALK, None)]),
        ("Pair A code Unspecified\r\nPair A fault length: 0.80m\r\n",
         [("A", CableState.UNKNOWN, 0.8)]),
    ],
)  # fmt: skip
def test_cable(answer: str, pairs: list[tuple[str, CableState, float | None]]) -> None:
    assert LINUX.read_cable([answer]) == tuple(Pair(*each) for each in pairs)


@pytest.mark.parametrize(
    "answers",
    [[], [""], ["Cable test started for device c1.\n"], ["Pair A code OK\nPair A code OK\n"]],
)
def test_cable_without_result(answers: list[str]) -> None:
    with pytest.raises(UnreadableError):
        LINUX.read_cable(answers)


def test_is_a_dialect() -> None:
    dialect: Dialect = LINUX
    assert dialect.leave == ()


ALLOWED = re.compile(
    r"sudo -n (?:ethtool(?: --cable-test)? PORT|ip -o link show dev PORT|"
    r"ethtool -s PORT autoneg on|ethtool -s PORT autoneg off speed 100 duplex half|"
    r"ip link set dev PORT (?:up|down))|echo this host keeps no configuration"
)
"""By hand: every line that may ever be typed."""


def attack(count: int) -> str:
    """Names, and aliases of interfaces; a sentence where one line was none of the plan's."""

    def described(alias: str) -> Sequence[str]:
        return [ETHTOOL, f"{UP} alias {alias}"]

    good = ("swp12", "swp-lan.7")
    for figures in (
        attack_names(LINUX, good, ALLOWED, count=count // 2, seed=count),
        attack_descriptions(LINUX, "c1", described, ALLOWED, count=count // 2, seed=count + 1),
    ):
        print(f"Linux: {figures}")
        assert figures.planned > figures.tried // 100
        if figures.outside:
            return figures.example
    return ""


def test_hostile_text() -> None:
    assert attack(1_000) == ""


@pytest.mark.slow
def test_a_lot_of_hostile_text() -> None:
    assert attack(25_000) == ""


# In a real shell: quiet lines first, a mark between the answers.


def in_bash(lines: Sequence[str], *wrapper: str, path: str | None = None) -> list[str]:
    script = "\n".join(f"{line}\necho ----" for line in (*texts(LINUX.quiet), *lines))
    done = subprocess.run(
        [*wrapper, shutil.which("bash") or "bash", "--norc"],
        input=script, capture_output=True, text=True, check=False, timeout=20,
        env={**os.environ, **({} if path is None else {"PATH": path})},
    )  # fmt: skip
    return (done.stdout + done.stderr).split("----\n")[len(LINUX.quiet) : -1]


def refused(answer: str) -> bool:
    return any(pattern.search(answer) for pattern in LINUX.refusals)


@pytest.fixture
def no_sudo(tmp_path: Path) -> str:
    """A PATH with all that is needed but sudo, which stands in /usr/bin with the rest."""
    for name in ("bash", "echo", "false", "true", "cat"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    return str(tmp_path)


def test_bash_tells_what_failed_and_only_that(no_sudo: str) -> None:
    lines = ["true", "false", "sudo -n true", "sudo -n false", "nosuchprogram", "echo x # $?"]
    answers = in_bash(lines, path=no_sudo)
    assert [refused(answer) for answer in answers] == [False, True, False, True, True, False]


def test_another_shell_is_refused_at_the_login() -> None:
    dash = shutil.which("dash")
    if dash is None:
        pytest.skip("no dash here")
    trap = LINUX.quiet[-1].text
    done = subprocess.run([dash], input=trap, capture_output=True, text=True, check=False)
    assert refused(done.stdout + done.stderr)


def test_the_echo_of_the_trap_is_no_failure() -> None:
    assert not refused(f"tenone$ {LINUX.quiet[-1].text}\n")


def test_a_real_port() -> None:
    """A tap in a network of its own: set, read, put back, by the lines themselves."""
    if os.geteuid() != 0 or not Path("/dev/net/tun").exists() or shutil.which("ethtool") is None:
        pytest.skip("needs root, /dev/net/tun and ethtool")
    shut = replace(SLOW, enabled=False)
    steps = [(GOOD, SLOW), (SLOW, shut), (shut, GOOD)]
    show = texts(LINUX.show_port("c1"))
    lines = ["ip tuntap add dev c1 mode tap", *texts(LINUX.set_port("c1", shut, GOOD)), *show]
    for before, after in steps:
        lines += [*texts(LINUX.set_port("c1", before, after)), *show]
    lines.append("sudo -n ethtool -s nosuch0 autoneg on")
    answers = in_bash(lines, "unshare", "--net")
    assert [refused(answer) for answer in answers] == [False] * (len(lines) - 1) + [True]
    seen = [
        LINUX.read_port("c1", answers[at : at + 2])
        for at, line in enumerate(lines)
        if line == show[0]
    ]
    assert seen == [GOOD, SLOW, shut, GOOD]
    assert re.search(r"Speed: ", answers[-3])
