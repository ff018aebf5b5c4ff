"""What a live stream starts with, and the ages its beats carry: views of the city by kind."""

from collections.abc import Callable, Sequence

from controller import encode
from controller.api.together import overview_of
from controller.views import Change, City
from tenone.vocabulary.scope import ScopePath

SCHOOL_DEPTH = 3
Ages = dict[str, dict[str, object]]


def ages_of(city: City, scopes: Sequence[ScopePath], kinds: frozenset[str]) -> Ages:
    """Seconds by kind and id; of links a list in the order of their evidence.

    Links, switches and boards only for streams of one school: a city has too many.
    """
    ages: Ages = {}
    for scope in scopes:
        for kind, found in _ages_inside(city, scope, kinds).items():
            ages.setdefault(kind, {}).update(found)
    if "overview" in kinds and len(scopes) > 1:
        view = overview_of(city, scopes)
        ages["overview"][str(view.scope)] = _age(view.data_age_seconds)
    return ages


def _ages_inside(city: City, scope: ScopePath, kinds: frozenset[str]) -> Ages:
    ages: Ages = {}
    if kinds & {"school", "agent"}:
        heard = city.agent_ages(scope)
        ages["school"] = {school: _age(seconds) for school, seconds in heard.items()}
    if "overview" in kinds:
        views = [city.overview(scope), *city.districts(scope)]
        ages["overview"] = {str(view.scope): _age(view.data_age_seconds) for view in views}
    if len(scope.parts) < SCHOOL_DEPTH:
        return ages
    if "link" in kinds:
        links = city.links(scope)
        ages["link"] = {v.id: [_age(item.age_seconds) for item in v.evidence] for v in links}
    if "switch" in kinds:
        ages["switch"] = {v.id: _age(v.age_seconds) for v in city.switches(scope)}
    if "board" in kinds:
        ages["board"] = {v.id: _age(v.age_seconds) for v in city.boards(scope)}
    return ages


def _age(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _links(city: City, scope: ScopePath) -> Sequence[Change]:
    return [
        Change(scope=scope, kind="link", id=view.id, body=encode.link_json(view))
        for view in city.links(scope)
    ]


def _boards(city: City, scope: ScopePath) -> Sequence[Change]:
    return [
        Change(scope=scope, kind="board", id=view.id, body=encode.board_json(view))
        for view in city.boards(scope)
    ]


def _switches(city: City, scope: ScopePath) -> Sequence[Change]:
    return [
        Change(scope=scope, kind="switch", id=view.id, body=encode.switch_json(view))
        for view in city.switches(scope)
    ]


def _schools(city: City, scope: ScopePath) -> Sequence[Change]:
    return [
        Change(scope=view.scope, kind="school", id=view.id, body=encode.school_json(view))
        for view in city.schools(scope)
    ]


def _agents(city: City, scope: ScopePath) -> Sequence[Change]:
    return [
        Change(scope=view.scope, kind="agent", id=view.id, body=encode.agent_json(view.agent))
        for view in city.schools(scope)
    ]


def _overviews(city: City, scope: ScopePath) -> Sequence[Change]:
    own = city.overview(scope)
    views = [own, *(view for view in city.districts(scope) if view.scope != own.scope)]
    return [
        Change(
            scope=view.scope, kind="overview", id=str(view.scope), body=encode.overview_json(view)
        )
        for view in views
    ]


SNAPSHOTS: dict[str, Callable[[City, ScopePath], Sequence[Change]]] = {
    "agent": _agents,
    "board": _boards,
    "link": _links,
    "overview": _overviews,
    "school": _schools,
    "switch": _switches,
}
"""Every kind of change, and how all of it is asked for now."""
