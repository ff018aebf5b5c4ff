"""Cisco's IOS (Catalyst): replace, archive and the timer that takes a change back.

Source: Cisco IOS Configuration Fundamentals, Configuration Replace and Configuration Rollback,
Configuration Rollback Confirmed Change; Catalyst 2960-X interface command reference.
"""

import re
from dataclasses import replace
from typing import ClassVar

from firmware_sims.switch.cable import PairFault, PairState
from firmware_sims.switch.console import ios_show
from firmware_sims.switch.console.grammar import Given
from firmware_sims.switch.console.hashed import SHOWN, Hashed
from firmware_sims.switch.console.shell import RefusedError, on, text
from firmware_sims.switch.model import Port
from firmware_sims.switch.settings import DEFAULT_VLAN, Config, LinkType, PortSettings

MOST_MINUTES = 120
_PAIR_STATES = {PairState.OPEN: "Open", PairState.SHORT: "Short"}


class Ios(Hashed):
    """Cisco's switches."""

    test_refused: ClassVar = "% TDR test is not supported on this interface\n"

    # Going back by itself

    @on("enable", "configure terminal revert timer <minutes>")
    def configure_revert(self, given: Given) -> str:
        """What is changed from here on goes back unless it is confirmed in time."""
        minutes = given.number("minutes", 1, MOST_MINUTES)
        self.switch.store.try_for(minutes * 60, self.switch.wiring.running(), self.user)
        self.view = "config"
        return text(
            [
                (
                    f"Rollback Confirmed Change: Backing up current running config to "
                    f"flash:archive{len(self.switch.store.files) + 1}"
                ),
                "",
                self.entered,
            ]
        )

    @on("enable", "configure confirm")
    def confirm(self, _: Given) -> str:
        """It stays."""
        if not self.switch.store.confirm():
            return text(["% No Rollback Confirmed Change pending"])
        return ""

    @on("enable", "configure revert now")
    def revert_now(self, _: Given) -> str:
        """It goes back at once."""
        if not self.switch.store.abort():
            return text(["% No Rollback Confirmed Change pending"])
        return ""

    @on(
        "enable",
        "configure replace <file> force",
        "configure replace <file> force time <minutes>",
    )
    def replace_force(self, given: Given) -> str:
        """Let a file run in place of what runs."""
        return self._replace(given)

    @on("enable", "configure replace <file> [time <minutes>]")
    def replace_asked(self, given: Given) -> str:
        """The same after a question."""
        self._file(given["file"])
        return text(
            [
                "This will apply all necessary additions and deletions",
                "to replace the current running configuration with the",
                "contents of the specified configuration file, which is",
                "assumed to be a complete configuration, not a partial",
                "configuration.",
            ]
        ) + self.yes_or_no(
            "Enter Y if you are sure you want to proceed. ? [no]: ", lambda: self._replace(given)
        )

    def _replace(self, given: Given) -> str:
        goal = self._file(given["file"])
        store, running = self.switch.store, self.switch.wiring.running()
        if given.get("minutes"):
            store.try_for(given.number("minutes", 1, MOST_MINUTES) * 60, running, self.user)
        passes = 0 if goal == running else 1
        self.switch.wiring.load(goal)
        return text([f"Total number of passes: {passes}", "Rollback Done", ""])

    def _file(self, name: str) -> Config:
        plain = name.removeprefix("flash:").removeprefix("/")
        if plain in {"nvram:startup-config", "startup-config"}:
            return self.switch.store.startup
        kept = self.switch.store.files.get(plain)
        if kept is None:
            raise RefusedError(f"%Error opening {name} (No such file or directory)\n")
        return kept

    @on("enable", "copy running-config <to>")
    def copy(self, given: Given) -> str:
        """Keep what runs in a file, or as what it starts with."""
        name = given["to"]
        if "startup-config".startswith(name.lower()):
            return self.ask("Destination filename [startup-config]? ", self._copied_to_startup)
        plain = name.removeprefix("flash:").removeprefix("/")
        return self.ask(
            f"Destination filename [{plain}]? ", lambda answer: self._copied(answer or plain)
        )

    def _copied_to_startup(self, _: str) -> str:
        self.switch.store.save()
        return "Building configuration...\n[OK]\n"

    def _copied(self, name: str) -> str:
        if name in self.switch.store.files:
            return self.ask(
                "%Warning:There is a file already existing with this name\n"
                "Do you want to over write? [confirm]",
                lambda answer: self._kept(name) if answer.lower() in {"", "y"} else "",
            )
        return self._kept(name)

    def _kept(self, name: str) -> str:
        self.switch.store.files[name] = self.switch.wiring.running()
        return "\n5120 bytes copied in 0.512 secs (10000 bytes/sec)\n"

    # A port

    @on("interface", "mls qos trust dscp")
    def trust(self, _: Given) -> str:
        """Take the DSCP of packets for their class."""
        return self.change(trust_dscp=True)

    @on("interface", "no mls qos trust [dscp]")
    def no_trust(self, _: Given) -> str:
        """Do not."""
        return self.change(trust_dscp=False)

    @on("interface", "priority-queue out")
    def strict(self, _: Given) -> str:
        """Serve the expedite queue before the rest."""
        return self.change(queueing="priority-queue out")

    @on("interface", "no priority-queue out")
    def no_strict(self, _: Given) -> str:
        """The default order."""
        return self.change(queueing="")

    @on("config", "mls qos")
    def qos(self, _: Given) -> str:
        """Quality of service on the whole switch."""
        config = self.config()
        if "mls qos" not in config.lines:
            self.put(replace(config, lines=(*config.lines, "mls qos")))
        return ""

    @on("config", "no mls qos")
    def no_qos(self, _: Given) -> str:
        """None of it."""
        config = self.config()
        self.put(replace(config, lines=tuple(one for one in config.lines if one != "mls qos")))
        return ""

    @on("interface", "power inline <mode>")
    def power(self, given: Given) -> str:
        """``auto`` feeds what hangs on the port, ``never`` does not."""
        return self.change(poe=given.one_of("mode", "auto", "never") == "auto")

    @on("interface", "no power inline")
    def no_power(self, _: Given) -> str:
        """The default: auto."""
        return self.change(poe=True)

    # The cable

    @on("enable", "test cable-diagnostics tdr interface <port...>")
    def cable_test(self, given: Given) -> str:
        """Measure the pairs; the link goes."""
        port = self.port(given)
        self.check_testable(port)
        self.switch.store.tested[port.name], _ = self.tested(port)
        self.switch.store.tested_wall_ns = self.switch.clock.wall_ns()
        return text(
            [
                f"TDR test started on interface {ios_show.short(port)}",
                "A TDR test can take a few seconds to run on an interface",
                "Use 'show cable-diagnostics tdr' to read the TDR results.",
            ]
        )

    @on(SHOWN, "show cable-diagnostics tdr interface <port...>")
    def cable_result(self, given: Given) -> str:
        """What the last test found."""
        port = self.port(given)
        found = self.switch.store.tested.get(port.name)
        if found is None:
            raise RefusedError(f"% TDR test was never issued on {ios_show.short(port)}\n")
        metres = self.switch.wiring.of(port).cable.metres
        lines = [
            f"TDR test last run on: {ios_show.moment(self.switch.store.tested_wall_ns)}",
            "",
            "Interface Speed Local pair Pair length        Remote pair Pair status",
            "--------- ----- ---------- ------------------ ----------- --------------------",
        ]
        for place, (pair, fault) in enumerate(found.items()):
            head = f"{ios_show.short(port):<9} {'auto':<5}" if place == 0 else " " * 15
            lines.append(f"{head} {_pair(pair, fault, metres)}")
        return text(lines)

    @on("enable", "show running-config | include <expression...>")
    def included(self, given: Given) -> str:
        """Lines of what runs that hold the expression."""
        try:
            expression = re.compile(given["expression"])
        except re.error:
            raise given.wrong("expression") from None
        lines = self.whole(self.switch.wiring.running())
        return text([line for line in lines if expression.search(line)])

    def section(self, port: Port, settings: PortSettings) -> list[str]:  # noqa: ARG002 - the same for every port
        """See :class:`Hashed`."""
        lines = []
        if settings.description:
            lines.append(f"description {settings.description}")
        if settings.vlan != DEFAULT_VLAN:
            lines.append(f"switchport access vlan {settings.vlan}")
        lines.append(
            f"switchport mode {'trunk' if settings.link_type is LinkType.TRUNK else 'access'}"
        )
        if settings.shutdown:
            lines.append("shutdown")
        if settings.speed_mbps is not None:
            lines.append(f"speed {settings.speed_mbps}")
        if settings.duplex is not None:
            lines.append(f"duplex {settings.duplex.label}")
        if not settings.poe:
            lines.append("power inline never")
        if settings.trust_dscp:
            lines.append("mls qos trust dscp")
        if settings.queueing:
            lines.append(settings.queueing)
        return lines


def _pair(pair: str, fault: PairFault | None, metres: int) -> str:
    length, state = (
        (metres, "Normal") if fault is None else (fault.metres, _PAIR_STATES[fault.state])
    )
    remote = f"Pair {pair}" if fault is None else "N/A"
    return f"{'Pair ' + pair:<10} {length:<4} +/- 4  meters   {remote:<11} {state}"
