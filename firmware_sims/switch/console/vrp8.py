"""VRP version 8 (CloudEngine, NE): two stages, a candidate that a ``commit`` lets run.

Sources: NE8000 and CloudEngine command references, ``commit``, ``commit trial``, ``abort
trial``, ``display configuration commit list``, ``rollback configuration``.
"""

from dataclasses import fields, replace
from typing import ClassVar

from firmware_sims.switch.console import vrp_show
from firmware_sims.switch.console.bracketed import ANYWHERE
from firmware_sims.switch.console.grammar import Given
from firmware_sims.switch.console.shell import RefusedError, on, text
from firmware_sims.switch.console.vrp import Vrp
from firmware_sims.switch.settings import Config, PortSettings

TRIAL_SECONDS = 600
SHORTEST_TRIAL_SECONDS, LONGEST_TRIAL_SECONDS = 60, 65_535
_MOST_BACK = 80


class Vrp8(Vrp):
    """Huawei's two-stage command line; a session's candidate is its own."""

    entered: ClassVar = "Enter system view, return user view with return command."

    def __init__(self, *args: object, **options: object) -> None:
        """See :class:`Shell`."""
        super().__init__(*args, **options)  # type: ignore[arg-type] # handed on as they come
        self._base: Config | None = None
        """What ran when the candidate was begun."""
        self._candidate: Config | None = None

    @property
    def system_mark(self) -> str:
        """``*`` while something is not committed."""
        return "*" if self.dirty else "~"

    @property
    def dirty(self) -> bool:
        """Whether the candidate differs from what it was begun from."""
        return self._candidate is not None and self._candidate != self._base

    def config(self) -> Config:
        """See :class:`Shell`: the candidate."""
        return self.switch.wiring.running() if self._candidate is None else self._candidate

    def put(self, config: Config) -> None:
        """See :class:`Shell`: into the candidate, and nothing runs yet."""
        if self._candidate is None:
            self._base = self.switch.wiring.running()
        self._candidate = config
        self.switch.store.candidates[self] = config

    def _drop(self) -> None:
        self._base = self._candidate = None
        self.switch.store.candidates.pop(self, None)

    def left(self) -> None:
        """What was not committed is gone; a trial goes on and ends by its own time."""
        self._drop()

    # Committing

    @on("system interface vlan", "commit", "commit label <label>")
    def commit(self, given: Given) -> str:
        """Let the candidate run; a trial of this session stays."""
        return self._commit(given.get("label"))

    def _commit(self, label: str = "") -> str:
        store = self.switch.store
        self._nobody_else_tries()
        store.confirm()
        if label and any(made.label == label for made in store.commits):
            raise RefusedError(f"Error: The label {label} already exists.\n")
        if self.dirty or label:
            store.commit(self._merged(), label=label, user=self.user)
        self._drop()
        return ""

    @on(
        "system interface vlan",
        "commit trial [<seconds>]",
    )
    def trial(self, given: Given) -> str:
        """Let the candidate run until its time is over, unless a commit comes before."""
        seconds = TRIAL_SECONDS
        if given.get("seconds"):
            seconds = given.number("seconds", SHORTEST_TRIAL_SECONDS, LONGEST_TRIAL_SECONDS)
        self._nobody_else_tries()
        store = self.switch.store
        if not self.dirty and store.trial is None:
            raise RefusedError("Error: There is no uncommitted configuration to try.\n")
        before = self.switch.wiring.running()
        if self.dirty:
            self.switch.wiring.load(self._merged())
        self._drop()
        store.try_for(seconds, before, self.user)
        return text(
            [f"Info: The trial configuration is in effect and rolls back in {seconds} seconds."]
        )

    @on("system interface vlan", "abort trial")
    def abort(self, _: Given) -> str:
        """Take the trial back."""
        self._nobody_else_tries()
        if not self.switch.store.abort():
            raise RefusedError("Error: No trial configuration is running.\n")
        return ""

    @on(ANYWHERE, "display configuration trial status")
    def trial_status(self, _: Given) -> str:
        """Whether something is on trial, and how long."""
        trial = self.switch.store.trial
        if trial is None:
            return text(["Trial status: INACTIVE"])
        left = max(0, round(trial.due - self.switch.now()))
        return text(
            ["Trial status: ACTIVE", f"User: {trial.session}", f"Rollback time-left: {left}s"]
        )

    @on("system interface vlan", "clear configuration candidate")
    def clear(self, _: Given) -> str:
        """Forget the candidate."""
        self._drop()
        return ""

    def _nobody_else_tries(self) -> None:
        trial = self.switch.store.trial
        if trial is not None and trial.session != self.user:
            raise RefusedError(f"Error: A trial of the user {trial.session} is running.\n")

    def _merged(self) -> Config:
        """What runs with what this session changed; others' changes meanwhile stay."""
        running, base = self.switch.wiring.running(), self._base or self.switch.wiring.running()
        own = self._candidate or base
        ports = dict(running.ports)
        for name, settings in own.ports.items():
            changed = _difference(base.ports[name], settings)
            ports[name] = replace(ports[name], **changed)  # type: ignore[arg-type] # fields of PortSettings
        vlans = (running.vlans | own.vlans) - (base.vlans - own.vlans)
        return replace(running, ports=ports, vlans=vlans)

    # Leaving

    @on(ANYWHERE, "quit", "q")
    def quit(self, given: Given) -> str:
        """One view up; out of the system view it asks about what is not committed."""
        if self.view == "system" and self.dirty:
            return self._ask_to_commit()
        return super().quit(given)

    @on("system interface vlan", "return")
    def return_(self, given: Given) -> str:
        """To the user view; asks about what is not committed."""
        return self._ask_to_commit() if self.dirty else super().return_(given)

    def _ask_to_commit(self) -> str:
        question = (
            "Warning: Uncommitted configurations found. Are you sure to commit them before "
            "exiting? [Y(yes)/N(no)/C(cancel)]:"
        )

        def answered(answer: str) -> str:
            letter = answer.upper()[:1]
            if letter == "C":
                return ""
            if letter not in {"Y", "N"}:
                return self.ask(question, answered)
            if letter == "Y":
                self._commit()
            self._drop()
            self.at, self.view = None, "user"
            return ""

        return self.ask(question, answered)

    # Checkpoints

    @on(ANYWHERE, "display configuration candidate")
    def show_candidate(self, _: Given) -> str:
        """The candidate."""
        return text(self.whole(self.config()))

    @on(ANYWHERE, "display configuration commit list")
    def commits(self, _: Given) -> str:
        """The checkpoints, the newest first."""
        line = "-" * 78
        rows = [
            f"{place:<4} {made.number:<14} {made.label or '-':<22} {made.user:<18} "
            f"{vrp_show.moment(made.wall_ns)}"
            for place, made in enumerate(reversed(self.switch.store.commits), start=1)
        ]
        head = f"{'No.':<4} {'CommitId':<14} {'Label':<22} {'User':<18} TimeStamp"
        return text([line, head, line, *rows, line])

    @on(
        "user",
        "rollback configuration to commit-id <id>",
        "rollback configuration to label <label>",
        "rollback configuration to file <file>",
        "rollback configuration last <back>",
    )
    def rollback(self, given: Given) -> str:
        """Let a checkpoint run again, after a question."""
        goal = self._goal(given)
        return self.yes_or_no(
            "Warning: This operation will revert configuration changes to the previous state. "
            "Are you sure to roll back the configuration? [Y/N]:",
            lambda: self._rolled_back(goal),
        )

    def _goal(self, given: Given) -> Config:
        store = self.switch.store
        if given.get("file"):
            if given["file"] not in store.files:
                raise RefusedError(f"Error: The file {given['file']} does not exist.\n")
            return store.files[given["file"]]
        if given.get("back"):
            back = given.number("back", 1, _MOST_BACK)
            if back > len(store.commits):
                raise RefusedError("Error: There are not that many commits.\n")
            return store.commits[-back].before
        wanted = {given.get("label"), given.get("id")} - {""}
        for made in reversed(store.commits):
            if wanted & {made.label, str(made.number)}:
                return made.after
        raise RefusedError("Error: The specified commit does not exist.\n")

    def _rolled_back(self, goal: Config) -> str:
        self.switch.store.commit(goal, user=self.user)
        self._drop()
        return text(["Info: Succeeded in rolling back the configuration."])

    @on("user", "save")
    def save(self, _: Given) -> str:
        """What runs becomes what it starts with, after a question."""
        return self.yes_or_no(
            "Warning: The current configuration will be written to the device. Continue? [Y/N]:",
            self._saved,
        )

    def _saved(self) -> str:
        self.switch.store.save()
        return text(
            [
                "Now saving the current configuration to the slot 1 .",
                "Info: Save the configuration successfully.",
            ]
        )


def _difference(base: PortSettings, own: PortSettings) -> dict[str, object]:
    return {
        one.name: getattr(own, one.name)
        for one in fields(PortSettings)
        if getattr(own, one.name) != getattr(base, one.name)
    }
