"""Who may say and hear what, on a real Mosquitto: `pytest -s` prints the tables."""

import asyncio
import contextlib
import itertools
import socket
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from controller.trust.brokers_desired import Wanted, desired
from drivers.wire.access_lists import (
    DEVICE_ROLE,
    GATEWAY_ROLE,
    HOST_ROLE,
    device_role,
    gateway_role,
    host_role,
    school_role,
)
from drivers.wire.dynsec_values import Client, State
from drivers.wire.mqtt import ConnectError, MqttPort, PublishRefusedError, SubscribeRefusedError
from drivers.wire.mqtt_values import Will
from drivers.wire.topics import MessageType, NodeId, node_filters, state_topic
from tenone.trust.masked import Secret
from tenone.vocabulary.scope import DeviceKind
from tests.brokers.rig import Broker, broker_in, until

HOST = "tenone"
NOT_AUTHORISED = 0x87
FORMS = ("literal", "+", "#", "$share", "$SYS")
PASSWORDS = {"host": Secret("host-password"), "gateway": Secret("gateway-password")}


def schools(count: int) -> list[NodeId]:
    return [NodeId(f"d{number % 3}", f"no{number}") for number in range(1, count + 1)]


def city(nodes: Sequence[NodeId]) -> State:
    wanted = desired(Wanted(host_id=HOST, schools=nodes, keeper="keeper")).state
    host = Client(username="host", roles=frozenset({HOST_ROLE}), client_id="host")
    return State.of([*wanted.roles.values()], [*wanted.clients.values(), host])


async def published(port: MqttPort, topic: str) -> bool:
    try:
        await port.publish(topic, b"x", qos=1)
    except PublishRefusedError as error:
        return error.reason_code != NOT_AUTHORISED
    return True


async def subscribed(port: MqttPort, topic_filter: str) -> bool:
    try:
        await port.subscribe(topic_filter)
    except SubscribeRefusedError as error:
        return error.reason_code != NOT_AUTHORISED
    return True


def of_others(node: NodeId) -> dict[str, dict[str, list[str]]]:
    """What nobody but ``node`` (and the host) may do: direction, form, topics."""
    own = [node.topic(kind, "board-b1" if kind.is_device else None) for kind in MessageType]
    ncmd, dcmd = node_filters(node)
    return {
        "publish": {
            "literal": own,
            # A topic name holds no wildcard (MQTT 5.0, 4.7.1); the raw packet is tried below.
            "$share": [f"$share/g/{topic}" for topic in own],
            "$SYS": ["$SYS/broker/clients/connected", "$CONTROL/dynamic-security/v1"],
        },
        "subscribe": {
            "literal": own,
            "+": [f"spBv1.0/+/NCMD/{node.node}", f"spBv1.0/{node.group}/+/{node.node}", dcmd],
            "#": ["#", "spBv1.0/#", f"spBv1.0/{node.group}/#", f"{ncmd}/#"],
            "$share": [f"$share/g/{ncmd}", f"$share/g/{dcmd}", "$share/g/#"],
            "$SYS": ["$SYS/#", "$SYS/broker/log/#", "$CONTROL/#"],
        },
    }


def table(title: str, asked: Counter[tuple[str, str]], granted: Counter[tuple[str, str]]) -> None:
    print(f"\n{title}\n{'':10}" + "".join(f"{form:>18}" for form in FORMS))
    for way in ("publish", "subscribe"):
        cells = [
            f"{granted[way, form]} of {asked[way, form]}" if asked[way, form] else "not a topic"
            for form in FORMS
        ]
        print(f"{way:10}" + "".join(f"{cell:>18}" for cell in cells))


async def crossed(
    ports: Sequence[MqttPort], tries: Sequence[Sequence[tuple[str, str, str]]], title: str
) -> None:
    """Everybody tries everything of everybody else; nothing is granted."""
    asked: Counter[tuple[str, str]] = Counter()
    granted: Counter[tuple[str, str]] = Counter()

    async def one(port: MqttPort, mine: Sequence[tuple[str, str, str]]) -> None:
        for way, form, topic in mine:
            asked[way, form] += 1
            act = published if way == "publish" else subscribed
            granted[way, form] += await act(port, topic)

    await asyncio.gather(*(one(port, mine) for port, mine in zip(ports, tries, strict=True)))
    table(title, asked, granted)
    assert sum(asked.values()) > 0
    assert granted.total() == 0
    assert all(port.is_connected for port in ports), "a refusal ends no session"


def flat(of: dict[str, dict[str, list[str]]]) -> list[tuple[str, str, str]]:
    return [
        (way, form, topic) for way, forms in of.items() for form, all_ in forms.items()
        for topic in all_
    ]  # fmt: skip


async def cross_schools(folder: Path, count: int) -> None:
    nodes = schools(count)
    with broker_in(folder, PASSWORDS, city(nodes)) as broker:
        for node in nodes:
            broker.authority.issue(node.node)
        async with contextlib.AsyncExitStack() as stack:
            host = MqttPort(endpoint=broker.inside("host"), client_id="host", receive_maximum=1000)
            await stack.enter_async_context(host)
            await host.subscribe("spBv1.0/#")
            ports = [await stack.enter_async_context(broker.agent(one.node)) for one in nodes]
            for port, node in zip(ports, nodes, strict=True):
                for own in (*node_filters(node), state_topic(HOST)):
                    assert await subscribed(port, own)
            tries = [
                [row for other in nodes if other != node for row in flat(of_others(other))]
                for node in nodes
            ]
            await crossed(ports, tries, f"granted across {count} schools, all pairs:")
            assert host.statistics.received == 0
            assert [port.statistics.received for port in ports] == [0] * count
            for port, node in zip(ports, nodes, strict=True):
                for kind in MessageType:
                    topic = node.topic(kind, "board-b1" if kind.is_device else None)
                    assert await published(port, topic) is not kind.is_command
            told = 6 * count
            await until(lambda: host.statistics.received == told, "what schools say of themselves")
            for node in nodes:
                await host.publish(node.topic(MessageType.NCMD), b"do", qos=1)
            for port in ports:
                await until(lambda port=port: port.statistics.received == 1, "its own command")  # type: ignore[misc] # mypy infers no type for a lambda's default


async def test_across_twenty_schools_nothing_is_allowed(tmp_path: Path) -> None:
    await cross_schools(tmp_path, 20)


def devices(count: int) -> list[tuple[DeviceKind, str]]:
    kinds = (DeviceKind.BOARD, DeviceKind.SENSOR)
    return [(kinds[number % 2], f"x{number}") for number in range(count)]


def device_state(all_: Sequence[tuple[DeviceKind, str]]) -> tuple[State, dict[str, Secret]]:
    roles = [gateway_role(), *(device_role(kind, serial) for kind, serial in all_)]
    clients = [Client(username="gateway", roles=frozenset({GATEWAY_ROLE}), client_id="gateway")]
    names = [f"{kind.value}.{serial}" for kind, serial in all_]
    for (kind, serial), name in zip(all_, names, strict=True):
        role = f"{DEVICE_ROLE}{kind.value}-{serial}"
        clients.append(Client(username=name, roles=frozenset({role}), client_id=name))
    return State.of(roles, clients), {**PASSWORDS, **{name: Secret(f"of-{name}") for name in names}}


def of_other_devices(kind: DeviceKind, serial: str) -> dict[str, dict[str, list[str]]]:
    root = f"t1/{kind.value}/{serial}"
    write = [f"{root}/{end}" for end in ("m", "e", "a/smoke", "s", "twin/reported", "cmd/ring/1",
                                         "twin/desired")]  # fmt: skip
    return {
        "publish": {
            "literal": write,
            "$share": [f"$share/g/{root}/m"],
            "$SYS": ["$SYS/x", "$CONTROL/dynamic-security/v1"],
        },
        "subscribe": {
            "literal": [*write, f"{root}/cmd"],
            "+": [f"t1/+/{serial}/m", f"{root}/+", f"{root}/cmd/+/+", "t1/+/+/cmd/ring/1"],
            "#": ["#", "t1/#", f"{root}/#", f"{root}/cmd/#"],
            "$share": [f"$share/g/{root}/cmd/#", "$share/g/#"],
            "$SYS": ["$SYS/#", "$CONTROL/#"],
        },
    }


async def cross_devices(folder: Path, count: int) -> None:
    all_ = devices(count)
    state, passwords = device_state(all_)
    with broker_in(folder, passwords, state, by_password=True) as broker:
        async with contextlib.AsyncExitStack() as stack:
            gateway = MqttPort(
                endpoint=broker.inside("gateway"), client_id="gateway", receive_maximum=1000
            )
            await stack.enter_async_context(gateway)
            await gateway.subscribe("t1/+/+/#")
            names = [f"{kind.value}.{serial}" for kind, serial in all_]
            ports = [
                await stack.enter_async_context(
                    MqttPort(endpoint=broker.inside(name), client_id=name)
                )
                for name in names
            ]
            tries = [
                [row for other in all_ if other != own for row in flat(of_other_devices(*other))]
                for own in all_
            ]
            await crossed(ports, tries, f"granted across {count} devices of a school, all pairs:")
            assert gateway.statistics.received == 0
            for port, (kind, serial) in zip(ports, all_, strict=True):
                root = f"t1/{kind.value}/{serial}"
                for end in ("m", "m/air", "e/card/1", "a", "s", "twin/reported"):
                    assert await published(port, f"{root}/{end}")
                for end in ("cmd/ring/1", "twin/desired", "twin", "x"):
                    assert not await published(port, f"{root}/{end}"), "it reads these"
                for end in ("cmd/#", "cmd/ring/+", "twin/desired"):
                    assert await subscribed(port, f"{root}/{end}")
                for end in ("m", "s", "#", "twin/#", "twin/reported"):
                    assert not await subscribed(port, f"{root}/{end}"), "it writes these"
                await gateway.publish(f"{root}/cmd/ring/7", b"1", qos=1)
            for port in ports:
                await until(lambda port=port: port.statistics.received >= 1, "its command")  # type: ignore[misc] # mypy infers no type for a lambda's default


async def test_across_twenty_devices_nothing_is_allowed(tmp_path: Path) -> None:
    await cross_devices(tmp_path, 20)


async def test_abuse_10_wills_ids_and_wildcards(tmp_path: Path) -> None:
    """Will poisoning, session takeover by client id, a wildcard as a topic name."""
    nodes = schools(2)
    one, other = nodes
    with broker_in(tmp_path, PASSWORDS, city(nodes)) as broker:
        for node in nodes:
            broker.authority.issue(node.node)
        async with MqttPort(endpoint=broker.inside("host"), client_id="host") as host:
            await host.subscribe("spBv1.0/#")
            victim = broker.agent(one.node)
            await victim.connect()
            # With the other's client id: the listener puts the certificate's name in its place.
            for client_id in (f"tenone-node-{one.node}", one.node):
                thief = broker.agent(other.node, client_id=client_id)
                await thief.connect()
                assert not await published(thief, one.topic(MessageType.NDATA))
                await thief.disconnect()
            assert await published(victim, one.topic(MessageType.NDATA)), "the victim stays"
            # With a password the id is bound by the plugin: refused.
            with pytest.raises(ConnectError, match="Not authorized"):
                await MqttPort(endpoint=broker.inside("host"), client_id="another").connect()
            assert host.is_connected
            # A will on the other's topic is taken at CONNECT and thrown away when it is due.
            for retain in (False, True):
                death = Will(topic=one.topic(MessageType.NDEATH), payload=b"", retain=retain)
                poisoner = broker.agent(other.node, will=death)
                await poisoner.connect()
                await poisoner.disconnect(with_will=True)
            own = Will(topic=other.topic(MessageType.NDEATH), payload=b"own")
            honest = broker.agent(other.node, will=own)
            await honest.connect()
            await honest.disconnect(with_will=True)
            await until(lambda: host.statistics.received == 2, "one message and the honest will")
            assert [(await anext(host.messages())).topic for _ in range(2)] == [
                one.topic(MessageType.NDATA),
                other.topic(MessageType.NDEATH),
            ]
            await victim.disconnect()
        assert b"" in raw_answers(broker, b"spBv1.0/+/NCMD/no1")


def raw_answers(broker: Broker, topic: bytes) -> list[bytes]:
    """What the broker says to a PUBLISH with ``topic``; an empty last one: it hung up."""
    told = []
    with broker.authority.context("no1").wrap_socket(
        socket.create_connection(("127.0.0.1", broker.tls_port), 5), server_hostname="localhost"
    ) as line:
        line.sendall(bytes.fromhex("100e00044d515454050200000000 0161".replace(" ", "")))
        told.append(line.recv(100))
        body = len(topic).to_bytes(2, "big") + topic + b"\0\1\0x"
        line.sendall(bytes([0x32, len(body)]) + body)
        for _ in range(2):
            told.append(line.recv(100))
            if not told[-1]:
                break
    return told


def test_roles_name_nothing_but_their_own() -> None:
    """No line of a role is a pattern that covers another school or device."""
    for node, other in itertools.permutations(schools(4), 2):
        topics = {acl.topic for acl in school_role(node, HOST).acls}
        assert all(f"/{node.node}" in topic or topic == state_topic(HOST) for topic in topics)
        assert not any(other.node in topic.split("/") for topic in topics)
    assert not any("CONTROL" in acl.topic for acl in host_role(HOST).acls)
