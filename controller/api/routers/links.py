"""Links: the promises, judged; and the request to poll one now."""

from fastapi import APIRouter
from starlette.responses import JSONResponse

from controller import encode
from controller.api.access import Caller, Here, link_seen_by, need, scope_of
from controller.api.ledgering import ledgered
from controller.api.listing import Listed, Listing, page_by_school, past_page
from controller.api.schemas import LinkOut, LinkPage, ReplyOut
from controller.views import LinkView
from tenone.vocabulary.roles import Permission
from tenone.vocabulary.states import Verdict

router = APIRouter(prefix="/links", tags=["links"])
STATES = frozenset({"good", "bad", "unknown", "unverified", "stale"})


def states_of(view: LinkView) -> frozenset[str]:
    """The verdict, and what qualifies it."""
    states = {view.verdict.label}
    if view.verdict is Verdict.GOOD and not view.verified:
        states.add("unverified")
    if view.stale:
        states.add("stale")
    return frozenset(states)


LISTED: Listed[LinkView] = Listed(
    id_of=lambda view: view.id,
    states_of=states_of,
    known_states=STATES,
    encode=encode.link_json,
)


@router.get("", responses={200: {"model": LinkPage}})
async def links(services: Here, query: Listing) -> JSONResponse:
    """``state``: a verdict, or ``unverified`` (good by negotiation only), or ``stale``."""
    past = await past_page(services, "links", query, known_states=STATES)
    return past or await page_by_school(
        services, query, lambda school: services.city.links(school.scope), LISTED
    )


@router.get("/{school}/{link}", responses={200: {"model": LinkOut}})
async def one_link(services: Here, session: Caller, school: str, link: str) -> JSONResponse:
    """One link by its id, ``school/link``."""
    return JSONResponse(encode.link_json(link_seen_by(services, session, f"{school}/{link}")))


@router.post(
    "/{school}/{link}/recheck", responses={200: {"model": ReplyOut}, 502: {"model": ReplyOut}}
)
async def recheck(services: Here, session: Caller, school: str, link: str) -> JSONResponse:
    """Ask the school's agent to poll the link's switch now. Reads only; changes nothing."""
    view = link_seen_by(services, session, f"{school}/{link}")
    scope = scope_of(services, view.school)
    need(session, Permission.POLL, scope)
    switch = None if view.binding is None else view.binding.switch
    async with ledgered(services, session, "poll.request", scope, subject=view.id):
        reply = await services.actions.poll_now(view.school, switch)
    failed = reply.state == "failed"
    return JSONResponse(
        {"state": reply.state, "code": reply.code, "message": reply.message},
        502 if failed else 200,
    )
