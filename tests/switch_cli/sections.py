"""Sections as the bracketed switches print them, written from settings: the tests' own hand."""

from collections.abc import Callable

from hypothesis import strategies as st

from drivers.cli.dialect import Change, PortMode, PortSettings
from tenone.vocabulary.states import Duplex

Writer = Callable[[PortSettings], list[str]]
OTHER = st.lists(
    st.text(st.characters(exclude_characters="\n\r"), max_size=20).map(
        lambda text: f"description {text}".strip(" ")
    ),
    max_size=1,
).map(tuple)


def any_settings(*, unset: bool, forced_to_nothing: bool) -> st.SearchStrategy[PortSettings]:
    """What may be configured; ``forced_to_nothing``: no negotiation, no speed, no duplex."""
    speeds = st.sampled_from([None, 10, 100, 1000])
    duplexes = st.sampled_from([None, Duplex.HALF, Duplex.FULL])
    forced = st.tuples(st.sampled_from([False]), speeds, duplexes)
    if not forced_to_nothing:
        forced = forced.filter(lambda wire: wire[1:] != (None, None))
    wires = st.one_of(st.just((True, None, None)), forced)
    modes = [mode for mode in PortMode if unset or mode is not PortMode.UNSET]

    def build(wire: tuple[bool, int | None, Duplex | None], rest: PortSettings) -> PortSettings:
        return PortSettings(
            enabled=rest.enabled, negotiation=wire[0], speed_mbps=wire[1], duplex=wire[2],
            mode=rest.mode, access_vlan=rest.access_vlan, poe=rest.poe, trust=rest.trust,
            other=rest.other,
        )  # fmt: skip

    rest = st.builds(
        PortSettings,
        enabled=st.booleans(),
        mode=st.sampled_from(modes),
        access_vlan=st.none() | st.integers(1, 4094),
        poe=st.booleans(),
        trust=st.booleans(),
        other=OTHER,
    )
    return st.builds(build, wires, rest)


def section(*lines: str, name: str) -> str:
    """What ``display current-configuration interface`` prints."""
    return "\n".join(["#", f"interface {name}", *(f" {line}" for line in lines), "#", "return", ""])


def texts(change: Change) -> tuple[tuple[str, ...], ...]:
    """Prepare, apply, confirm, undo, keep."""
    groups = (change.prepare, change.apply, change.confirm, change.undo, change.keep)
    return tuple(tuple(line.text for line in group) for group in groups)


def vrp(settings: PortSettings) -> list[str]:
    """Huawei."""
    modes = {PortMode.ROUTED: ["undo portswitch"], PortMode.UNSET: []}
    lines = [*settings.other]
    lines += modes.get(settings.mode, [f"port link-type {settings.mode.value}"])
    lines += [] if settings.enabled else ["shutdown"]
    lines += [] if settings.negotiation else ["undo negotiation auto"]
    lines += [] if settings.access_vlan is None else [f"port default vlan {settings.access_vlan}"]
    lines += [] if settings.poe else ["undo poe enable"]
    lines += ["trust dscp"] if settings.trust else []
    return lines + _wire(settings)


def comware(settings: PortSettings) -> list[str]:
    """H3C."""
    link = "route" if settings.mode is PortMode.ROUTED else "bridge"
    lines = [f"port link-mode {link}", *settings.other]
    if settings.mode in {PortMode.TRUNK, PortMode.HYBRID}:
        lines.append(f"port link-type {settings.mode.value}")
    lines += [] if settings.enabled else ["shutdown"]
    lines += [] if settings.access_vlan is None else [f"port access vlan {settings.access_vlan}"]
    lines += ["poe enable"] if settings.poe else []
    lines += ["qos trust dscp"] if settings.trust else []
    return lines + _wire(settings)


def _wire(settings: PortSettings) -> list[str]:
    speed = [] if settings.speed_mbps is None else [f"speed {settings.speed_mbps}"]
    duplex = [] if settings.duplex is None else [f"duplex {settings.duplex.label}"]
    return speed + duplex
