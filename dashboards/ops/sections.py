"""Which of the administrators' pages are open to whom: the menu, never a decision."""

from controller.api.access import may_anywhere
from controller.api.sessions import Session
from dashboards.ops.keeping_phrases import SECTIONS
from tenone.vocabulary.roles import Permission

START_PATH = "/start"
ADMINISTERING = (
    Permission.KEEP_USERS,
    Permission.KEEP_MACHINES,
    Permission.KEEP_SYSTEM,
    Permission.READ_AUDIT,
)


def administers(session: Session) -> bool:
    """Whether the page of what there is to do is for them."""
    return any(may_anywhere(session, one) for one in ADMINISTERING)


def sections(session: Session) -> list[tuple[str, str]]:
    """Address and English name of the administrators' pages that are open to the session."""
    wanted = {
        START_PATH: administers(session),
        "/users": may_anywhere(session, Permission.KEEP_USERS),
        "/machines": may_anywhere(session, Permission.KEEP_MACHINES),
        "/keys": may_anywhere(session, Permission.KEEP_USERS),
        "/audit": may_anywhere(session, Permission.READ_AUDIT),
    }
    return [(path, SECTIONS[path]) for path, is_open in wanted.items() if is_open]
