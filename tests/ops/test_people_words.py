"""Roles, states and refusals have words."""

from controller.api.problems import Problem
from controller.api.routers.users import STATES as API_STATES
from dashboards.ops.language import load
from dashboards.ops.people_site import router
from dashboards.ops.people_words import BY_STATUS, ROLES, SENTENCES, STATES, PeopleWords
from tenone.vocabulary.roles import Role


def test_every_role_and_state_has_a_word() -> None:
    assert set(ROLES) == set(Role)
    assert set(STATES) == API_STATES


def test_every_refusal_is_said_in_both_languages() -> None:
    for language in load().values():
        words = PeopleWords(language)
        assert words.refusal(None) == ""
        for sentence in SENTENCES:
            said = words.refusal(Problem(409, sentence))
            assert said
            assert (said == sentence) is (language.tag == "en"), sentence
        for status in BY_STATUS:
            assert words.refusal(Problem(status, "something of another kind"))


def test_the_pages_are_where_the_menu_leads() -> None:
    paths = {getattr(route, "path", "") for route in router.routes}
    assert {"/sign-in", "/sign-out", "/set-up", "/welcome", "/account", "/users"} <= paths
