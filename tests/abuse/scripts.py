"""200 texts that run in a browser where a page forgets to encode, and a city that is full of them.

Each calls ``pwn(n)``. They close tags, attributes of both quotes and of none, comments, scripts,
styles and text areas; use handlers, URLs, SVG, entities, templates; and hide in odd Unicode.
"""

from itertools import product

from controller.views import Binding, LinkView
from tenone.vocabulary.states import Cause, Severity, Verdict
from tests.api.fake_city import FakeCity, FakeSchool, agent, board, link, switch

_OPENERS = (
    "", '"', "'", '">', "'>", "`>", "-->", "]]>", "</script>", "</style>", "</title>",
    "</textarea>", "</svg>", "\\", '\\"', "\\'", "</noscript>", "*/", "}}", "%>",
)  # fmt: skip
_BODIES = (
    "<script>pwn({n})</script>",
    "<img src=x onerror=pwn({n})>",
    "<svg/onload=pwn({n})>",
    " onmouseover=pwn({n}) autofocus onfocus=pwn({n}) x=",
    "<iframe srcdoc='<script>parent.pwn({n})</script>'></iframe>",
    "<details open ontoggle=pwn({n})>x",
    "<a href=javascript:pwn({n}) autofocus onfocus=pwn({n})>x</a>",
    "{{{{constructor.constructor('pwn({n})')()}}}}",
    "<input autofocus onfocus=pwn({n})>",
)
_OTHER = (
    "javascript:pwn({n})",
    "JaVaScRiPt&#58;pwn({n})",
    "data:text/html,<script>parent.pwn({n})</script>",
    "&lt;script&gt;pwn({n})&lt;/script&gt;",
    "&#60;script&#62;pwn({n})&#60;/script&#62;",
    "\\u003cscript\\u003epwn({n})\\u003c/script\\u003e",
    "\\x3cimg src=x onerror=pwn({n})\\x3e",
    "+ADw-script+AD4-pwn({n})+ADw-/script+AD4-",
    "\uff1cscript\uff1epwn({n})\uff1c/script\uff1e",
    "<scr\0ipt>pwn({n})</scr\0ipt>",
    "<img/src='x'\nonerror\n=\npwn({n})>",
    "<math><mtext><table><mglyph><style><img src=x onerror=pwn({n})>",
    "<x hx-get=/sign-out hx-trigger=load>",
    "<x hx-on:htmx:load=pwn({n})>",
    "<meta http-equiv=refresh content='0;url=javascript:pwn({n})'>",
    "<base href='http://127.0.0.1:1/'>",
    "<style>*{{background:url(http://127.0.0.1:1/{n})}}</style>",
    "<link rel=stylesheet href=http://127.0.0.1:1/{n}>",
    "\u202e<script>pwn({n})</script>",
    "';pwn({n});//",
    '";pwn({n});//',
    "${{pwn({n})}}",
)  # fmt: skip


def payloads() -> list[str]:
    """Exactly 200, all different."""
    made = list(_OTHER)
    made += [opener + body for opener, body in product(_OPENERS, _BODIES)]
    return [text.format(n=number) for number, text in enumerate(made[:200])]


def hostile_links(school: str, texts: list[str], now: float) -> list[LinkView]:
    """One bad link a text; whatever a switch, a board or a person can name is that text."""
    return [
        link(
            school,
            f"c-{number}",
            text,
            now,
            room=f"r-{number}",
            verdict=Verdict.BAD,
            severity=Severity.WARNING,
            causes=(Cause.SPEED,),
            negotiated_mbps=100,
            binding=Binding(switch=text, port=text, valid_from=now - 60),
            boards=(board(school, f"b-{number}", now, name=text, app=text, firmware=text),),
        )
        for number, text in enumerate(texts)
    ]


def hostile_city(texts: list[str], now: float, *, a_school: int = 20) -> FakeCity:
    """Schools of so many links each, named by their first text."""
    city = FakeCity(now=now)
    for start in range(0, len(texts), a_school):
        own = texts[start : start + a_school]
        name = f"no{start}"
        school = FakeSchool(name, own[0], "east", agent(name, version=own[0]))
        school.switches = [
            switch(name, text, descr=text, poll_error=text, reachable=False) for text in own
        ]
        city.add(school, hostile_links(name, own, now))
    city.renamed["east"] = texts[0]
    return city
