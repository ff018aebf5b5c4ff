"""One whole controller for all abuse cases that only look at it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.abuse.whole import Whole, whole


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Whole]:
    """It takes seconds to start; its tests share one event loop."""
    async with whole(tmp_path_factory.mktemp("whole")) as running:
        yield running
