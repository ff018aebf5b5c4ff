"""Calendars of the demo's city: lessons at all hours, and holidays all year. Pure data."""

LAST_HOUR = 23


def calendar_yaml(year: int) -> dict[str, object]:
    """The demo's calendar: lessons from midnight to midnight, so that there is always one."""
    hours = [
        {"name": str(hour + 1), "starts": f"{hour:02}:00", "ends": f"{hour + 1:02}:00"}
        for hour in range(LAST_HOUR)
    ]
    last = {"name": str(LAST_HOUR + 1), "starts": f"{LAST_HOUR}:00", "ends": "23:59"}
    week = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return {
        "schema_version": 1,
        "china_library": False,
        "complete_years": [year - 1, year, year + 1],
        "terms": [{"name": "demo", "first": f"{year - 1}-01-01", "last": f"{year + 1}-12-31"}],
        "bells": {"round-the-clock": {"periods": [*hours, last]}},
        "weekdays": dict.fromkeys(week, "round-the-clock"),
    }


def vacation_yaml(year: int) -> dict[str, object]:
    """The calendar of schools that have holidays: this year lies between two terms."""
    return {
        "schema_version": 1,
        "china_library": False,
        "complete_years": [year - 1, year, year + 1],
        "terms": [
            {"name": "before", "first": f"{year - 1}-01-01", "last": f"{year - 1}-01-31"},
            {"name": "after", "first": f"{year + 1}-12-01", "last": f"{year + 1}-12-31"},
        ],
        "bells": {"normal": {"periods": [{"name": "1", "starts": "08:00", "ends": "08:40"}]}},
        "weekdays": {"monday": "normal"},
    }
