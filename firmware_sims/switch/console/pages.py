"""Long output a page at a time: how each vendor wipes its sign for more."""


def wiped(sign: str, *, arrows: bool) -> str:
    """Cursor back, blanks, cursor back (VRP, Comware), or the same by backspaces (IOS-likes)."""
    back = f"\x1b[{len(sign)}D" if arrows else "\b" * len(sign)
    return back + " " * len(sign) + back
