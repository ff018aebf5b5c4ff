import pytest

from agents.tables import Together
from drivers.snmp.errors import SnmpError, Timeout
from tenone.runtime.clock import ManualClock
from tests.agents.conftest import FakeTables


async def test_what_one_reader_cannot_read_takes_nothing_from_the_others(
    clock: ManualClock,
) -> None:
    broken = FakeTables(clock, error=Timeout("no ENTITY-MIB today"))
    whole = FakeTables(clock, {"neighbours": ("a",)}, errors=(Timeout("no ARP"),))
    found = await Together([broken, whole]).read()
    assert [reading.stream for reading in found.readings] == ["neighbours"]
    assert [str(error) for error in found.errors] == ["no ENTITY-MIB today", "no ARP"]
    assert found.uptime_ticks == 77


async def test_readings_of_all_are_together(clock: ManualClock) -> None:
    one, two = FakeTables(clock, {"a": ("1",)}), FakeTables(clock, {"b": (), "c": ("2",)})
    found = await Together([one, two]).read()
    assert [reading.stream for reading in found.readings] == ["a", "b", "c"]
    assert not found.errors


async def test_nothing_at_all_is_an_error(clock: ManualClock) -> None:
    with pytest.raises(SnmpError, match="first"):
        await Together(
            [FakeTables(clock, error=Timeout("first")), FakeTables(clock, error=Timeout("second"))]
        ).read()
