"""VRP version 5 (S5700 family): every line takes effect at once, there is no commit."""

from firmware_sims.switch.console.grammar import Given
from firmware_sims.switch.console.shell import on, text
from firmware_sims.switch.console.vrp import Vrp
from firmware_sims.switch.model import Port

_SAVED = [
    "Now saving the current configuration to the slot 0.",
    "Save the configuration successfully.",
]


class Vrp5(Vrp):
    """Huawei S5700, S6700 with VRP5."""

    @on("user", "save")
    def save(self, _: Given) -> str:
        """What runs becomes what it starts with, after a question."""
        return text(["The current configuration will be written to flash:/vrpcfg.zip."]) + (
            self.yes_or_no("Are you sure to continue?[Y/N]", self._saved)
        )

    def _saved(self) -> str:
        self.switch.store.save()
        return text(_SAVED)

    @on("user", "save <file>")
    def save_as(self, given: Given) -> str:
        """A copy of what runs."""
        name = given["file"]
        if not name.endswith((".cfg", ".zip")):
            raise given.wrong("file")
        return self.yes_or_no(
            f"Are you sure to save the configuration to flash:/{name}?[Y/N]",
            lambda: self._saved_as(name),
        )

    def _saved_as(self, name: str) -> str:
        self.switch.store.files[name] = self.switch.wiring.running()
        return text(_SAVED)

    @on("interface", "restart")
    def restart(self, _: Given) -> str:
        """Shut the port and open it."""
        port = self.here()
        if not self.settings().shutdown:
            self.switch.wiring.negotiate(port)
        return ""

    @on("user system", "poe power-off interface <port...>")
    def power_off(self, given: Given) -> str:
        """Take the power from what hangs on a port."""
        return self._power(self.port(given), on=False)

    @on("user system", "poe power-on interface <port...>")
    def power_on(self, given: Given) -> str:
        """Give it back."""
        return self._power(self.port(given), on=True)

    def _power(self, port: Port, *, on: bool) -> str:
        self.switch.wiring.feed(port, on=on)
        return ""
