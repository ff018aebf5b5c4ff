"""Where administrators begin: what there is to do, and the way to their pages."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from controller.api.access import Caller, Here
from dashboards.ops.keeping_words import KeepingWords
from dashboards.ops.render import Renderer
from dashboards.ops.sections import START_PATH, administers
from dashboards.ops.start_pages import to_do
from dashboards.ops.words import Words

WORST_FIRST = ("crit", "warn", "unverified", "unknown")
router = APIRouter(include_in_schema=False)


@router.get(START_PATH)
async def start(request: Request, services: Here, session: Caller) -> Response:
    """What there is to do; who administers nothing is led to the top of what they see."""
    if not administers(session):
        return RedirectResponse("/", 303)
    renderer: Renderer = request.app.state.renderer
    words = KeepingWords(Words(renderer.language_of(request), services.now()))
    groups = await to_do(services, session, words)
    marks = [one.mark for _, todo in groups for one in todo]
    worst = next((mark for mark in WORST_FIRST if mark in marks), "ok")
    return renderer.page(
        request,
        "start.html",
        session=session,
        k=words,
        groups=groups,
        count=len(marks),
        mark=worst,
    )
