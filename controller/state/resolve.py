"""Which of a switch's ports a binding means.

By the port key as the agent wrote it; else by the one port whose name, description or alias is
the binding's text. Two that match are none: a guess could judge the wrong classroom.
"""

from collections.abc import Iterable, Mapping

from controller.store.records import PortFacts


def names_of(ports: Iterable[PortFacts]) -> dict[str, str]:
    """Every text that means exactly one port of the switch -> the port's key."""
    meant: dict[str, set[str]] = {}
    for port in ports:
        for text in (port.if_name, port.if_descr, port.if_alias):
            if text:
                meant.setdefault(text, set()).add(port.port)
    return {text: keys.pop() for text, keys in meant.items() if len(keys) == 1}


def resolve(bound: str, keys: Mapping[str, int], names: Mapping[str, str]) -> int | None:
    """The number of the port that ``bound`` means; None where no single port does.

    ``keys``: port key -> number, of the ports the switch shows now. ``names``: of
    :func:`names_of`.
    """
    number = keys.get(bound)
    if number is None and (key := names.get(bound)) is not None:
        number = keys.get(key)
    return number
