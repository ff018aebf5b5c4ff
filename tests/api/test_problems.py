"""What a request did wrong is said in one sentence: where, what, and how to mend it."""

from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel, ConfigDict, Field

from controller.api import problems


class Asked(BaseModel):
    """A body like those of the API."""

    model_config = ConfigDict(extra="forbid")
    retry: str = Field(pattern="^[a-z]{2}$")
    days: int = 1


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    problems.install(app)

    @app.post("/x")
    async def x(_: Asked, limit: Annotated[int, Query(ge=1)] = 1) -> None: ...

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        yield client


@pytest.mark.parametrize(
    ("body", "query", "said"),
    [
        ("{}", "", "The body lacks 'retry': send it too."),
        (
            '{"retry": "ab", "why": 1}',
            "",
            "The body has 'why', which is not taken here: leave it out.",
        ),
        ('{"retry": "a"}', "", "The body: 'retry' does not have the form ^[a-z]{2}$."),
        ("", "", "The body is missing: send one."),
        ("{", "", "The body is no JSON: Expecting property name enclosed in double quotes."),
        ('{"days": []}', "", "The body lacks 'retry': send it too."),
        (
            '{"retry": "ab"}',
            "?limit=0",
            "The query: 'limit' input should be greater than or equal to 1.",
        ),
    ],
)
async def test_one_sentence(client: httpx.AsyncClient, body: str, query: str, said: str) -> None:
    answer = await client.post(
        f"/x{query}", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == problems.MEDIA_TYPE
    assert answer.json()["detail"] == said


async def test_a_long_name_is_cut(client: httpx.AsyncClient) -> None:
    answer = await client.post("/x", json={"retry": "ab", "y" * 9000: 1})
    assert len(answer.json()["detail"]) < 160
