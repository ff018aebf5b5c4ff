"""Templates with one environment a language; every page gets the same surroundings."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from controller.api.access import may_anywhere
from controller.api.hub import KINDS
from controller.api.services import Services
from controller.api.sessions import Session
from dashboards.ops import language as languages_module
from dashboards.ops import measured, phrases, words
from dashboards.ops.language import Language
from dashboards.ops.once import Once
from dashboards.ops.repair_pages import stopped_of
from dashboards.ops.sections import administers, sections
from dashboards.ops.statics import StaticTree
from tenone.vocabulary.roles import Permission

TEMPLATES = Path(__file__).resolve().parent / "templates"
THEME_COOKIE = "tenone-theme"


class Renderer:
    """Makes HTML out of a template's name and its values."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.once = Once()
        self.statics, self.languages, self._environments = _from_files()

    def language_of(self, request: Request) -> Language:
        """The language this request is answered in."""
        cookie = request.cookies.get(languages_module.COOKIE)
        accepted = request.headers.get("accept-language", "")
        return languages_module.choose(self.languages, cookie, accepted)

    def page(
        self, request: Request, template: str, *, status: int = 200, **values: object
    ) -> HTMLResponse:
        """Render ``template``; ``values`` are what the page is about."""
        language = self.language_of(request)
        now = self.services.now()
        query = f"?{request.url.query}" if request.url.query else ""
        html = (
            self._environments[language.tag]
            .get_template(template)
            .render(
                {"session": None, "crumbs": (), "status": status}
                | values
                | {"stopped": stopped_of(self.services, session_in(values))}
                | {
                    "w": words.Words(language, now),
                    "now": now,
                    "language": language,
                    "languages": self.languages.values(),
                    "theme": _theme(request),
                    "demo": self.services.config.demo,
                    "here": request.url.path + query,
                    "messages": {text: language.text(text) for text in phrases.CLIENT_MESSAGES},
                }
            )
        )
        return HTMLResponse(
            html,
            status,
            headers={
                "content-language": language.tag,
                "vary": "Accept-Language, Cookie, HX-Request",
            },
        )


@cache
def _from_files() -> tuple[StaticTree, Mapping[str, Language], Mapping[str, Environment]]:
    """What is made of the package's own files, once a process."""
    statics = StaticTree()
    languages = languages_module.load()
    return statics, languages, {tag: _environment(languages[tag], statics) for tag in languages}


def _environment(language: Language, statics: StaticTree) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    catalogue = language.catalogue
    install = getattr(environment, "install_gettext_translations")  # noqa: B009 - added by the extension
    install(catalogue, newstyle=True)
    environment.globals.update(
        static=statics.url,
        has_static=statics.has,
        link_mark=words.link_mark,
        figures=measured.figures,
        school_mark=words.school_mark,
        tally_of=words.tally_of,
        board_mark=words.board_mark,
        switch_mark=words.switch_mark,
        agent_mark=words.agent_mark,
        stream_kinds=sorted(KINDS),
        administers=administers,
        sections=lambda session: [(path, language.text(name)) for path, name in sections(session)],
        looks=lambda session: may_anywhere(session, Permission.LOOK),
        may_audit=lambda session: may_anywhere(session, Permission.READ_AUDIT),
    )
    # All of them now: files that an upgrade replaces under a running process must not meet
    # the code of before.
    for name in environment.list_templates():
        environment.get_template(name)
    return environment


def session_in(values: Mapping[str, object]) -> Session | None:
    """Whose page it is."""
    session = values.get("session")
    return session if isinstance(session, Session) else None


def _theme(request: Request) -> str:
    theme = request.cookies.get(THEME_COOKIE, "")
    return theme if theme in {"light", "dark"} else "auto"
