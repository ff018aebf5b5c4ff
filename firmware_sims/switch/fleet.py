"""Many live switches with their agents, sockets, control lines and answer log."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from firmware_sims import control
from firmware_sims.switch import ber
from firmware_sims.switch.agent import DEFAULT_MAX_REPLY, LARGEST_REPLY, Agent
from firmware_sims.switch.heart import Heart
from firmware_sims.switch.mib import (
    IF_DESCR,
    IF_HC_IN_OCTETS,
    IF_IN_OCTETS,
    IFX_NAME,
    SYS_UP_TIME,
    ModelTree,
)
from firmware_sims.switch.misbehave import Behaviour, misbehaving, plain
from firmware_sims.switch.model import Quirk, Switch
from firmware_sims.switch.notify import NOWHERE, Destinations, Notifier, destination
from firmware_sims.switch.plan import Plan
from firmware_sims.switch.replay import Recording
from firmware_sims.switch.secured import Trick, secured
from firmware_sims.switch.server import Answer, Endpoint, Part
from firmware_sims.switch.settings import DEFAULT_VLAN
from firmware_sims.switch.usm import Engine, V3User
from firmware_sims.ups.unit import UpsUnit
from tenone.runtime.clock import Clock

if TYPE_CHECKING:
    from firmware_sims.switch.console.front import ConsoleFront
    from firmware_sims.switch.console.offer import Offer

LONGEST_SILENCE_SECONDS = 86_400.0


class AnswerLog:
    """What switches have answered, one JSON line each, flushed before the reply leaves.

    A reply that holds the first port's in-octets counts as one answered sweep of counters:
    its *answer number* (1, 2, ... for each switch, never twice) is served as that counter. A
    reply that holds sysUpTime is logged with its ticks. So whatever a reader stores can be
    found here, and nothing stored may be missing here.
    """

    def __init__(self, out: TextIO, clock: Clock) -> None:
        self._out = out
        self._clock = clock

    def write(self, switch: str, answer: int | None, uptime_ticks: int | None) -> None:
        """Add one line and flush it."""
        line = {
            "switch": switch,
            "answer": answer,
            "uptime_ticks": uptime_ticks,
            "wall_ms": self._clock.wall_ns() // 1_000_000,
        }
        self._out.write(json.dumps(line) + "\n")
        self._out.flush()


class NumberedTree(ModelTree):
    """A live switch whose first port's in-octets are the number of the answer."""

    def __init__(self, switch: Switch, log: AnswerLog) -> None:
        self._number = 0
        self._log = log
        super().__init__(switch)
        self._marked: frozenset[bytes] = frozenset()
        self._marked_of: Sequence[bytes] = ()

    def varbind(self, position: int) -> bytes:
        """See :class:`firmware_sims.switch.tree.Tree`."""
        if self._marked_of is not self.keys:
            index = self._switch.ports[0].if_index
            self._marked = frozenset(
                ber.sort_key((*column, index)) for column in (IF_IN_OCTETS, IF_HC_IN_OCTETS)
            )
            self._marked_of = self.keys
        if self.keys[position] not in self._marked:
            return super().varbind(position)
        source = self._shape.cells[position].source
        return ber.tlv(
            ber.SEQUENCE, self._shape.names[position] + ber.integer(self._number + 1, source.tag)
        )

    def replied(self, varbinds: bytes) -> None:
        """Log a reply about to be sent; the answer number in it is used up."""
        index = self._switch.ports[0].if_index
        columns = (IF_IN_OCTETS, IF_HC_IN_OCTETS)
        answer = uptime = None
        if any(ber.oid((*column, index)) in varbinds for column in columns):
            self._number += 1
            answer = self._number
        if _UPTIME_NAME in varbinds:
            uptime = self._switch.uptime_ticks(self._now)
        if answer is not None or uptime is not None:
            self._log.write(self._switch.name, answer, uptime)


_UPTIME_NAME = ber.oid(SYS_UP_TIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all switches of a fleet share."""

    clock: Clock
    seed: int = 0
    misbehave: Behaviour | Quirk | Trick | None = None
    max_reply: int = DEFAULT_MAX_REPLY
    log: AnswerLog | None = None
    v3_users: tuple[V3User, ...] = ()
    """Who may ask by SNMPv3; nobody by default."""
    to: Destinations = NOWHERE
    """Where notifications go of switches whose plan does not say."""
    consoles: "Offer | None" = None
    """Command lines over SSH; none by default, and nothing of SSH is loaded then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An agent, its socket and what it stands for."""

    name: str
    vendor: str
    ports: Sequence[str]
    """ifName of each socket."""
    agent: Agent
    endpoint: Endpoint
    switch: Switch | None
    """None for a recording, whose state nothing changes."""
    engine: Engine | None = None
    """Its SNMPv3 engine, where it has users."""
    notifier: Notifier | None = None
    heart: Heart | None = None
    front: "ConsoleFront | None" = None
    """Its console; opened and closed apart, by ``console.front.Consoles``."""

    @property
    def parts(self) -> list[Part]:
        """What opens and closes with it."""
        others = (self.notifier, self.heart)
        return [self.endpoint, *(part for part in others if part is not None)]

    def ready(self) -> dict[str, object]:
        """What the ready line says of it."""
        return {
            "name": self.name,
            "host": self.endpoint.host,
            "port": self.endpoint.port,
            "community": self.agent.community.decode(),
            "vendor": self.vendor,
            "ports": list(self.ports),
        } | ({} if self.front is None else {"console": self.front.ready()})


def live(plan: Plan, where: tuple[str, int], setting: Setting) -> Unit:
    """Build a switch and bind its socket; raises OSError when the address is taken."""
    flaw, log = setting.misbehave, setting.log
    switch = Switch(
        name=plan.name,
        vendor=plan.vendor,
        clock=setting.clock,
        seed=setting.seed,
        ports=plan.ports,
        uplinks=plan.uplinks,
        virtual=plan.virtual,
        quirks=frozenset({flaw}) if isinstance(flaw, Quirk) else frozenset(),
    )
    switch.location = plan.location
    if plan.vlans:
        switch.vlans = frozenset({DEFAULT_VLAN, *plan.vlans})
    for port, changes in plan.set.items():
        switch.set_port(port, changes)
    switch.settle()
    for port, changes in plan.wire.items():
        switch.set_wire(port, changes)
    if plan.wire:
        switch.timers.run(math.inf)
        switch.rest()
    if plan.neighbours:
        switch.set_neighbours(plan.neighbours)
    tree = NumberedTree(switch, log) if log is not None else ModelTree(switch)
    agent = Agent(
        tree,
        community=plan.community,
        max_reply=setting.max_reply,
        begin=tree.begin,
        replied=tree.replied if isinstance(tree, NumberedTree) else None,
    )
    engine, answer = _answers(agent, setting, plan.name)
    to = Destinations(
        traps=destination(plan.traps) if plan.traps else setting.to.traps,
        syslog=destination(plan.syslog) if plan.syslog else setting.to.syslog,
        inform=setting.to.inform,
    )
    endpoint = Endpoint(answer, *where)
    return Unit(
        name=plan.name,
        vendor=plan.vendor.value,
        ports=[port.name for port in switch.sockets],
        agent=agent,
        endpoint=endpoint,
        engine=engine,
        switch=switch,
        notifier=Notifier(switch, to, endpoint.host, plan.community),
        heart=Heart(switch),
        front=None if setting.consoles is None else setting.consoles.front(switch, plan.console),
    )


def recorded(
    recording: Recording, name: str, community: str, where: tuple[str, int], setting: Setting
) -> Unit:
    """Serve a recording; raises ValueError for options that need a live switch, and OSError."""
    if setting.log is not None:
        raise control.CommandError(
            "--answers needs live switches: a recording's counters stand still"
        )
    if isinstance(setting.misbehave, Quirk):
        raise control.CommandError(
            f"{setting.misbehave.value!r} changes the state of a live switch: "
            "a recording says what it was recorded with"
        )
    clock = setting.clock
    started_ns = clock.monotonic_ns()

    def begin() -> bool:
        recording.at((clock.monotonic_ns() - started_ns) / 1e9)
        return True

    agent = Agent(
        recording,
        community=community,
        max_reply=setting.max_reply,
        max_single=LARGEST_REPLY,
        begin=begin,
    )
    engine, answer = _answers(agent, setting, name)
    return Unit(
        name=name,
        vendor="recorded",
        ports=recording.texts(IFX_NAME) or recording.texts(IF_DESCR),
        agent=agent,
        endpoint=Endpoint(answer, *where),
        engine=engine,
        switch=None,
    )


def _answers(agent: Agent, setting: Setting, name: str) -> tuple[Engine | None, Answer]:
    flaw = setting.misbehave
    answer = plain(agent)
    if isinstance(flaw, Behaviour):
        answer = misbehaving(agent, flaw, setting.seed)
    if not setting.v3_users:
        return None, answer
    engine = Engine(setting.v3_users, name=name, clock=setting.clock, seed=setting.seed)
    return engine, secured(agent, engine, answer, flaw if isinstance(flaw, Trick) else None)


class Controls:
    """Carries out the control lines of a fleet of switches."""

    def __init__(self, units: Sequence[Unit], upses: Sequence[UpsUnit] = ()) -> None:
        self._upses = {ups.name: ups for ups in upses}
        self._switches = {unit.name: unit.switch for unit in units}
        self._engines = {unit.name: unit.engine for unit in units}
        self._fronts = {unit.name: unit.front for unit in units}

    def handle(self, command: Mapping[str, object]) -> None:
        """One command; raises ValueError with one sentence.

        ``{"switch", "port", "set": {...}}``, ``{"switch", "reboot": {"silent_seconds",
        "renumber"}}``, ``{"switch", "silent": true}``, or, where it has SNMPv3 users,
        ``{"switch", "engine": {"reboot": true, "jump_seconds", "name"}}``. ``{"switch", "port",
        "wire": {...}}``: another cable or partner (``rewire.changed``); ``{"switch", "port",
        "configure": {...}}``: as somebody at its console would (``rewire.configured``);
        ``{"switch", "console": {...}}``: ``console.offer.misbehave``; ``{"switch", "lines":
        [...]}``: global lines of its configuration that are kept and shown. For a UPS
        ``{"ups", "set": {"mains", "charge_ratio", ...}}`` or ``{"ups", "silent": true}``.
        """
        if "ups" in command:
            self._change_ups(command)
            return
        name = control.text(command, "switch")
        if name not in self._switches:
            raise control.CommandError(f"no switch here is called {name!r}")
        if set(command) == {"switch", "engine"}:
            self._change_engine(name, control.mapping(command["engine"], "engine"))
            return
        if set(command) == {"switch", "console"}:
            self._change_console(name, control.mapping(command["console"], "console"))
            return
        switch = self._switches[name]
        if switch is None:
            raise control.CommandError(f"{name!r} is a recording, which cannot be changed")
        match sorted(set(command) - {"switch"}):
            case ["port", "set"] | ["port", "wire"] | ["configure", "port"]:
                _change_port(switch, command)
            case ["reboot"]:
                self._reboot(name, switch, control.mapping(command["reboot"], "reboot"))
            case ["lines"]:
                switch.lines = control.texts(command["lines"], "lines")
            case ["silent"]:
                switch.silent = control.flag(command["silent"], "silent")
            case others:
                raise control.CommandError(
                    f"a command for a switch holds port and one of set, wire and configure, or "
                    f"reboot, silent, lines, or console; "
                    f"this one holds {', '.join(others) or 'nothing'}"
                )

    def _reboot(self, name: str, switch: Switch, options: Mapping[str, object]) -> None:
        control.refuse_others(options, "silent_seconds", "renumber")
        switch.reboot(
            control.number(
                options.get("silent_seconds", 5), "silent_seconds", 0, LONGEST_SILENCE_SECONDS
            ),
            renumber=control.flag(options.get("renumber", False), "renumber"),
        )
        engine = self._engines[name]
        if engine is not None:
            engine.reboot()

    def _change_ups(self, command: Mapping[str, object]) -> None:
        ups = self._upses.get(control.text(command, "ups"))
        if ups is None:
            raise control.CommandError(f"no UPS here is called {command['ups']!r}")
        ups.handle(command)

    def _change_console(self, name: str, options: Mapping[str, object]) -> None:
        front = self._fronts[name]
        if front is None:
            raise control.CommandError(f"{name!r} has no console: start it with --console")
        from firmware_sims.switch.console.offer import misbehave  # noqa: PLC0415 - where there is one

        misbehave(front, options)

    def _change_engine(self, name: str, options: Mapping[str, object]) -> None:
        engine = self._engines[name]
        if engine is None:
            raise control.CommandError(f"{name!r} has no SNMPv3 users: start it with --v3-user")
        control.refuse_others(options, "reboot", "jump_seconds", "name")
        if control.flag(options.get("reboot", False), "reboot"):
            engine.reboot()
        if "jump_seconds" in options:
            bound = 2**31
            engine.jump(control.number(options["jump_seconds"], "jump_seconds", -bound, bound))
        if "name" in options:
            engine.rename(control.text(options, "name"))


def _change_port(switch: Switch, command: Mapping[str, object]) -> None:
    port = control.text(command, "port")
    for key, change in (
        ("set", switch.set_port),
        ("wire", switch.set_wire),
        ("configure", switch.configure),
    ):
        if key in command:
            change(port, control.mapping(command[key], key))
