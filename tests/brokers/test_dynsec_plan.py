"""The planner: applied it is what was desired, and then there is nothing left to do."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.access_lists import KEEPER_ROLE, keeper_role
from drivers.wire.dynsec import RESPONSE, CommandRefusedError, Dynsec
from drivers.wire.dynsec_plan import Command, Desired, create_client, foreign, plan, told
from drivers.wire.dynsec_values import Access, Acl, AclType, Client, Role, State
from drivers.wire.mqtt import MqttPort
from tenone.trust.masked import Secret
from tests.brokers.model import apply
from tests.brokers.rig import broker_in

NAMES = ("a", "b", "c", "d")
ROLES = ("r1", "r2", "r3")
TOPICS = ("t/1", "t/+", "t/#", "$SYS/#")
KEEPER = "keeper"

acl_sets = st.dictionaries(
    st.tuples(st.sampled_from(AclType), st.sampled_from(TOPICS)),
    st.tuples(st.booleans(), st.integers(-2, 2)),
    max_size=4,
).map(lambda rows: frozenset(Acl(*key, *value) for key, value in rows.items()))


@st.composite
def states(draw: st.DrawFn, *, ours: bool) -> State:
    roles = draw(st.dictionaries(st.sampled_from(ROLES), acl_sets, max_size=3))
    clients = []
    for name in draw(st.sets(st.sampled_from(NAMES))):
        held = draw(st.sets(st.sampled_from(sorted(roles)))) if roles else set()
        marks = ("tenone", "tenone:1") if ours else ("", "tenone", "tenone:1", "other")
        clients.append(
            Client(
                username=name,
                roles=frozenset(held),
                client_id=draw(st.sampled_from([None, "x", "y"])),
                disabled=draw(st.booleans()),
                mark=draw(st.sampled_from(marks)),
            )
        )
    access = (
        Access() if ours else draw(st.builds(Access, send=st.booleans(), receive=st.booleans()))
    )
    return State.of([Role(name, acls) for name, acls in roles.items()], clients, access)


@given(states(ours=True), states(ours=False), st.booleans())
def test_applied_it_is_what_was_desired_and_a_second_plan_is_empty(
    wanted: State, actual: State, remove: bool
) -> None:
    desired = Desired(
        state=wanted,
        passwords={name: Secret("p") for name in wanted.clients},
        remove_foreign=remove,
    )
    commands = plan(desired, actual)
    after = apply(actual, commands)
    assert plan(desired, after) == []
    assert after.access == wanted.access
    for name, role in wanted.roles.items():
        assert after.roles[name] == role
    for name, client in wanted.clients.items():
        assert after.clients[name] == client
    left = after.clients.keys() - wanted.clients.keys()
    if remove:
        assert not left
        assert after.roles.keys() == wanted.roles.keys()
    else:
        assert left == set(foreign(desired, actual)), "what was ours once goes, the rest stays"
        assert all(after.clients[name] == actual.clients[name] for name in left)


@given(states(ours=True))
def test_nothing_is_done_where_nothing_is_wrong(state: State) -> None:
    assert plan(Desired(state=state, remove_foreign=True), state) == []


@given(states(ours=True), states(ours=False))
def test_whoever_keeps_the_lists_is_never_touched(wanted: State, actual: State) -> None:
    held = State.of(
        [*actual.roles.values(), keeper_role()],
        [
            *actual.clients.values(),
            Client(username=KEEPER, roles=frozenset({KEEPER_ROLE}), mark="tenone"),
        ],
        actual.access,
    )
    desired = Desired(state=wanted, untouched=frozenset({KEEPER}), remove_foreign=True)
    after = apply(held, plan(desired, held))
    assert after.clients[KEEPER] == held.clients[KEEPER]
    assert after.roles[KEEPER_ROLE] == keeper_role()


def test_a_line_more_disturbs_nobody() -> None:
    role = Role("r", frozenset({Acl(AclType.SEND, "t/1")}))
    more = Role("r", role.acls | {Acl(AclType.SEND, "t/2")})
    client = Client(username="a", roles=frozenset({"r"}), mark="tenone")
    desired = Desired(state=State.of([more], [client]))
    commands = plan(desired, State.of([role], [client]))
    assert [one.name for one in commands] == ["addRoleACL"]


def test_passwords_are_in_no_words() -> None:
    command = create_client(Client(username="a"), Secret("canary-7f3"))
    assert "canary-7f3" not in f"{command!r} {command} {told([command])}"
    assert command.as_json()["password"] == "canary-7f3"


async def test_the_real_plugin_does_what_the_model_says(tmp_path: Path) -> None:
    """Many plans in a row, each between two states, on Mosquitto itself."""
    keeper = Client(username=KEEPER, roles=frozenset({KEEPER_ROLE}), client_id=KEEPER)
    seed = State.of([keeper_role()], [keeper])
    secrets = {KEEPER: Secret("kept"), "a": Secret("pa"), "b": Secret("pb")}
    lines = [Acl(kind, topic) for kind in AclType for topic in TOPICS]
    roles = [Role("r1", frozenset(lines[:9])), Role("r2", frozenset(lines[9:])), keeper_role()]
    a = Client(username="a", roles=frozenset({"r1"}), client_id="x", mark="tenone:1")
    b = Client(username="b", roles=frozenset({"r1", "r2"}), disabled=True, mark="tenone")
    bound = Client(username="b", roles=frozenset({"r2"}), client_id="y", mark="tenone:2")
    free = Client(username="b", mark="tenone:2")
    refused = Role("r1", frozenset({Acl(AclType.SEND, "t/1", allow=False, priority=7)}))
    steps = [
        Desired(state=State.of(roles, [a, b])),
        Desired(state=State.of(roles, [a, bound])),
        Desired(state=State.of([refused, *roles[1:]], [a, free], Access(send=True))),
        Desired(state=State.of([keeper_role()], []), remove_foreign=True),
    ]
    with broker_in(tmp_path, secrets, seed) as broker:
        port = MqttPort(endpoint=broker.inside(KEEPER), client_id=KEEPER)
        async with port, asyncio.TaskGroup() as group:
            dynsec = Dynsec(port)

            async def pump() -> None:
                async for message in port.messages():
                    assert message.topic == RESPONSE
                    dynsec.answered(message)
                    port.ack(message)

            pumping = group.create_task(pump())
            await dynsec.open()
            for step in steps:
                desired = Desired(
                    state=step.state,
                    passwords=secrets,
                    untouched=frozenset({KEEPER}),
                    remove_foreign=step.remove_foreign,
                )
                actual = await dynsec.read()
                commands = plan(desired, actual)
                assert commands
                await dynsec.run(*commands)
                found = await dynsec.read()
                assert found == apply(actual, commands), told(commands, 50)
                assert plan(desired, found) == []
            assert (await dynsec.client(KEEPER))["clientid"] == KEEPER
            with pytest.raises(CommandRefusedError, match="deleteClient nobody: Client not found"):
                await dynsec.run(Command("deleteClient", {"username": "nobody"}))
            pumping.cancel()
