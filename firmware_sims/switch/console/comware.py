"""H3C's Comware 7: interface, configuration-file and QoS command references."""

from collections.abc import Mapping
from typing import ClassVar

from firmware_sims.switch.cable import PairFault
from firmware_sims.switch.console import comware_show
from firmware_sims.switch.console.bracketed import ANYWHERE, Bracketed
from firmware_sims.switch.console.grammar import Given
from firmware_sims.switch.console.port_shell import MOST_VLAN
from firmware_sims.switch.console.shell import RefusedError, on, text
from firmware_sims.switch.model import Port
from firmware_sims.switch.settings import DEFAULT_VLAN, Config, LinkType, PortSettings

MOST_MINUTES = 65_535


class Comware(Bracketed):
    """H3C and HPE switches."""

    complaint_form: ClassVar = " % {}"
    banner: ClassVar = (
        "\n" + "*" * 78 + "\n"
        "* Without the owner's prior written consent,                                 *\n"
        "* no decompiling or reverse-engineering shall be allowed.                    *\n"
        + "*" * 78
        + "\n\n"
    )
    entered: ClassVar = "System View: return to User View with Ctrl+Z."
    more: ClassVar = "---- More ----"
    shorts: ClassVar = True
    half_refused: ClassVar = "Half duplex is not supported at this speed.\n"
    test_refused: ClassVar = "This port does not support VCT.\n"
    test_question: ClassVar = "Operation may cause the link to go down. Continue? [Y/N]:"

    # VLANs, queues

    @on("interface", "port access vlan <id>")
    def access_vlan(self, given: Given) -> str:
        """The VLAN of an access port."""
        vlan = given.number("id", 1, MOST_VLAN)
        if self.settings().link_type is not LinkType.ACCESS:
            raise RefusedError("Please configure the port as an access port first.\n")
        if vlan not in self.config().vlans:
            raise RefusedError("The specified VLAN does not exist.\n")
        return self.change(vlan=vlan)

    @on("interface", "undo port access vlan")
    def undo_access_vlan(self, _: Given) -> str:
        """VLAN 1 again."""
        return self.change(vlan=DEFAULT_VLAN)

    @on("interface", "qos trust dscp")
    def trust(self, _: Given) -> str:
        """Take the DSCP of packets for their class."""
        return self.change(trust_dscp=True)

    @on("interface", "undo qos trust [dscp]")
    def undo_trust(self, _: Given) -> str:
        """Do not."""
        return self.change(trust_dscp=False)

    @on("interface", "qos sp")
    def strict(self, _: Given) -> str:
        """Serve urgent queues before the rest."""
        return self.change(queueing="qos sp")

    @on("interface", "qos wrr [<unit>]")
    def weighted(self, given: Given) -> str:
        """Serve queues by weight."""
        if given.get("unit"):
            given.one_of("unit", "byte-count", "weight")
        return self.change(queueing="qos wrr " + (given.get("unit") or "weight"))

    @on("interface", "undo qos sp", "undo qos wrr")
    def undo_queueing(self, _: Given) -> str:
        """The default order."""
        return self.change(queueing="")

    # The cable

    def test_result(self, found: Mapping[str, PairFault | None], metres: int) -> str:
        """See :class:`Bracketed`."""
        worst = next(((p, f) for p, f in found.items() if f is not None), None)
        status = f"normal, {metres} metre(s)"
        if worst is not None:
            status = f"abnormal({worst[1].state.value}), {worst[1].metres} metre(s)"
        lines = [f"Cable status: {status}", "Pair Impedance mismatch: -", "Pair skew: - ns"]
        return text([*lines, *(_pair(p, f, metres) for p, f in found.items())])

    # Keeping

    @on("user system interface", "save")
    def save(self, _: Given) -> str:
        """What runs becomes what it starts with, after two questions."""
        return self.yes_or_no(
            "The current configuration will be written to the device. Are you sure? [Y/N]:",
            self._file_name,
        )

    def _file_name(self) -> str:
        return self.ask(
            "Please input the file name(*.cfg)[flash:/startup.cfg]\n"
            "(To leave the existing filename unchanged, press the enter key):",
            self._named,
        )

    def _named(self, answer: str) -> str:
        if answer and not answer.endswith(".cfg"):
            return text(["Invalid file name."])
        return self.yes_or_no(
            "flash:/startup.cfg exists, overwrite? [Y/N]:", lambda: self._saved(answer)
        )

    def _saved(self, name: str = "") -> str:
        self.switch.store.save()
        if name:
            self._keep(name)
        return text(
            [
                "Validating file. Please wait...",
                "Saved the current configuration to mainboard device successfully.",
            ]
        )

    @on("user system interface", "save force", "save safely force")
    def save_force(self, _: Given) -> str:
        """The same without a question."""
        return self._saved()

    @on("user system interface", "save <file>")
    def save_as(self, given: Given) -> str:
        """A copy of what runs; what it starts with stays."""
        name = _plain(given["file"])
        if not name.endswith(".cfg"):
            raise given.wrong("file")
        return self.yes_or_no(
            f"The current configuration will be saved to flash:/{name}. Continue? [Y/N]:",
            lambda: self._saved_as(name),
        )

    def _saved_as(self, name: str) -> str:
        if name in self.switch.store.files:
            return self.yes_or_no(
                f"flash:/{name} exists, overwrite? [Y/N]:", lambda: self._written(name)
            )
        return self._written(name)

    def _keep(self, name: str) -> None:
        self.switch.store.files[_plain(name)] = self.switch.wiring.running()

    def _written(self, name: str) -> str:
        self._keep(name)
        return text(
            [
                "Now saving current configuration to the device.",
                f"Saving configuration flash:/{name}. Please wait...",
                "Configuration is saved to device successfully.",
            ]
        )

    @on("system", "configuration replace file <file>")
    def replace_file(self, given: Given) -> str:
        """Let a file run in place of what runs."""
        name = _plain(given["file"])
        kept = self.switch.store.files.get(name)
        if kept is None and name != "startup.cfg":
            raise RefusedError(f"The file flash:/{name} does not exist.\n")
        goal = kept or self.switch.store.startup
        return self.yes_or_no(
            "Current configuration will be lost, save current configuration? [Y/N]:",
            lambda: self._saved() + self._replaced(goal, name),
            lambda: self._replaced(goal, name),
        )

    def _replaced(self, goal: Config, name: str) -> str:
        self.switch.wiring.load(goal)
        return text(
            [
                "Now replacing the current configuration. Please wait ...",
                f"Succeeded in replacing current configuration with the file flash:/{name}.",
            ]
        )

    @on("system interface vlan", "configuration commit delay <minutes>")
    def commit_delay(self, given: Given) -> str:
        """What is changed from here on goes back unless it is committed in time."""
        minutes = given.number("minutes", 1, MOST_MINUTES)
        self.switch.store.try_for(minutes * 60, self.switch.wiring.running(), self.user)
        return ""

    @on("system interface vlan", "configuration commit")
    def commit(self, _: Given) -> str:
        """It stays."""
        if not self.switch.store.confirm():
            raise RefusedError("No delayed configuration commit is running.\n")
        return ""

    # Showing

    def section(self, port: Port, settings: PortSettings) -> list[str]:
        """See :class:`Bracketed`."""
        lines = ["port link-mode bridge"]
        if settings.description:
            lines.append(f"description {settings.description}")
        if settings.shutdown:
            lines.append("shutdown")
        if settings.link_type is not LinkType.ACCESS:
            lines.append(f"port link-type {settings.link_type.value}")
        if settings.vlan != DEFAULT_VLAN:
            lines.append(f"port access vlan {settings.vlan}")
        if settings.speed_mbps is not None:
            lines.append(f"speed {settings.speed_mbps}")
        if settings.duplex is not None:
            lines.append(f"duplex {settings.duplex.label}")
        if settings.poe and self.switch.wiring.of(port).draws:
            lines.append("poe enable")
        if settings.trust_dscp:
            lines.append("qos trust dscp")
        if settings.queueing:
            lines.append(settings.queueing)
        return lines

    def vlan_lines(self, config: Config) -> list[str]:
        """See :class:`Bracketed`."""
        lines: list[str] = []
        for vlan in sorted(config.vlans):
            lines += ["#", f"vlan {vlan}"]
        return lines[1:]

    @on(ANYWHERE, "display interface brief")
    def brief(self, _: Given) -> str:
        """A line a port."""
        return text(comware_show.brief(self.switch))

    @on(ANYWHERE, "display interface <port...>")
    def show(self, given: Given) -> str:
        """One port."""
        return text(comware_show.interface(self.switch, self.port(given)))

    @on(ANYWHERE, "display lldp neighbor-information list")
    def lldp(self, _: Given) -> str:
        """Who is heard where."""
        return text(comware_show.neighbours(self.switch))


def _plain(name: str) -> str:
    return name.removeprefix("flash:/")


def _pair(pair: str, fault: PairFault | None, metres: int) -> str:
    if fault is None:
        return f"Pair {pair}: normal, {metres} metre(s)"
    return f"Pair {pair}: abnormal({fault.state.value}), {fault.metres} metre(s)"
