"""What a browser calls itself, in two words, so that people know their own sessions again.

Anybody may write anything into ``User-Agent`` (RFC 9110, 10.1.5): it is shown, and decides nothing.
"""

BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("DingTalk", "DingTalk"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
    ("python", "Python"),
)
"""What stands in the header, what it is called; the first that fits, for most name others too."""
SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def device_of(user_agent: str) -> str:
    """``Chrome, Android``; empty where nothing is known of it."""
    text = user_agent[:400]
    found = (_first(BROWSERS, text), _first(SYSTEMS, text))
    return ", ".join(word for word in found if word)


def _first(known: tuple[tuple[str, str], ...], text: str) -> str:
    return next((word for mark, word in known if mark.lower() in text.lower()), "")
