"""Each thing is said once, in the incident it belongs to, however often the room finds it."""

from controller.enforcement.sentences import NO_PLAN, both
from controller.enforcement.telling import MOST_ALIKE, MOST_WAITING, PATIENCE_NS, Teller
from controller.store.protocols import StoreError

SLOW = {"en": "It is slow.", "zh": "很慢。"}


class Timeline:
    """One link with at most one incident."""

    def __init__(self) -> None:
        self.incident: str | None = None
        self.lines: list[tuple[str, str, str]] = []
        self.broken = False
        self.reads = 0

    def incident_of(self, _link: str) -> str | None:
        return self.incident

    def shadow(self, _link: str) -> str | None:
        return None

    async def said(self, incident: str) -> set[str]:
        self.reads += 1
        return {en for one, en, _ in self.lines if one == incident}

    async def say(self, incident: str, en: str, zh: str) -> None:
        if self.broken:
            raise StoreError("the disk is full")
        self.lines.append((incident, en, zh))


async def test_it_waits_for_the_incident_and_is_said_once() -> None:
    timeline = Timeline()
    teller = Teller(timeline)
    teller.tell("no1/c1", SLOW, 0)
    await teller.go_on(1)
    assert timeline.lines == []
    timeline.incident = "i-1"
    for _ in range(3):
        teller.tell("no1/c1", SLOW, 2)
        await teller.go_on(2)
    assert timeline.lines == [("i-1", "It is slow.", "很慢。")]
    assert timeline.reads == 1


async def test_what_another_run_said_is_not_said_again() -> None:
    timeline = Timeline()
    timeline.incident = "i-1"
    timeline.lines = [("i-1", "It is slow.", "很慢。")]
    teller = Teller(timeline)
    teller.tell("no1/c1", SLOW, 0)
    await teller.go_on(0)
    assert len(timeline.lines) == 1


async def test_a_flap_without_an_incident_is_forgotten() -> None:
    timeline = Timeline()
    teller = Teller(timeline)
    teller.tell("no1/c1", SLOW, 0)
    await teller.go_on(PATIENCE_NS)
    timeline.incident = "i-2"
    await teller.go_on(PATIENCE_NS)
    assert timeline.lines == []


async def test_what_belongs_to_an_incident_goes_there() -> None:
    timeline = Timeline()
    timeline.incident = "i-2"
    teller = Teller(timeline)
    teller.tell("no1/c1", SLOW, 0, incident="i-1")
    await teller.go_on(0)
    assert [one for one, _, _ in timeline.lines] == ["i-1"]


async def test_what_cannot_be_written_is_said_later() -> None:
    timeline = Timeline()
    timeline.incident, timeline.broken = "i-1", True
    teller = Teller(timeline)
    teller.tell("no1/c1", SLOW, 0)
    await teller.go_on(0)
    timeline.broken = False
    await teller.go_on(0)
    assert len(timeline.lines) == 1


async def test_what_is_said_every_few_seconds_pushes_nothing_out() -> None:
    """A standing fault without an incident says the same at every look."""
    timeline = Timeline()
    teller = Teller(timeline)
    teller.tell("no1/c1", SLOW, 0)
    for now in range(MOST_WAITING + 1):
        teller.tell("no1/c2", SLOW, now)
    assert [line.link for line in teller._waiting] == ["no1/c1", "no1/c2"]
    teller.tell("no1/c3", {"en": "Cured.", "zh": "已修复。"}, 2)
    for number in range(MOST_WAITING + 5):
        teller.tell(f"no1/x{number}", SLOW, 2)
    assert len(teller._waiting) == len(teller._queued) == MOST_WAITING


async def test_a_school_that_words_its_refusal_anew_each_time_fills_no_timeline() -> None:
    timeline = Timeline()
    timeline.incident = "i-1"
    teller = Teller(timeline)
    for number in range(40):
        if number == 20:
            teller = Teller(timeline)  # also over a restart
        said = both(NO_PLAN, intent="bounce-port", why=f"no, for the {number}. time")
        teller.tell("no1/c1", said, 0)
        await teller.go_on(0)
    assert len(timeline.lines) == MOST_ALIKE
    teller.tell("no1/c1", SLOW, 0)
    await teller.go_on(0)
    assert len(timeline.lines) == MOST_ALIKE + 1
