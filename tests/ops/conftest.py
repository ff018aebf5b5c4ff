"""The pages around the small city: the API's fixtures with ``mount`` on top."""

import pytest
from fastapi import FastAPI

from controller.api.app import create_app
from controller.api.services import Services
from dashboards.ops.site import mount
from tests.api.conftest import (  # noqa: F401 - fixtures
    actions,
    anyone,
    city,
    clock,
    east,
    operator,
    services,
)


@pytest.fixture
def app(services: Services) -> FastAPI:  # noqa: F811 - the fixture of that name
    made = create_app(services)
    mount(made, services)
    return made
