"""Approvals: what a city signs so that one change of one school's switches happens once. No I/O.

City and school check the same document by the same code: the city before it sends it, the agent
before it does anything. It binds the *exact lines* of the plan and the state the devices were in
when the plan was made, so that nothing else than what people saw can be done, and not on another
network than the one they saw.

The canonical text, ASCII, every line ended by a line feed::

    tenone-approval 1
    key <key id>
    city <slug>
    school <slug>
    action <id>
    risk ordinary|high
    intent <name>
    with <name> <value as a JSON string, ASCII>     (none to 32, names ascending)
    plan <SHA-256, hex: see plan_hash>
    state <SHA-256, hex: see state_hash>
    requester <account>
    approver <account>                              (one; two where the risk is high; ascending)
    issued_ms <epoch milliseconds>
    expires_ms <at most 15 minutes later>
    nonce <128 random bits, hex>

The signature is Ed25519 (RFC 8032) over the text. Whoever parses a text writes it anew and
compares, so that one document has one text. See docs/approvals.md.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tenone.blocks.seal import key_id

FIRST_LINE = "tenone-approval 1"
LIFE_MS = 15 * 60 * 1000
"""How long an approval is good."""
TOLERANCE_MS = 60 * 1000
"""How far an agent's clock may be from the city's."""
MOST_PARAMETERS = 32
MOST_VALUE = 512
MOST_TEXT = 32 * 1024
MOST_LINES = 2000

_SLUG = re.compile(r"[a-z0-9-]{1,32}")
_ACTION = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_INTENT = re.compile(r"[a-z][a-z0-9.-]{0,63}")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]{0,31}")
_ACCOUNT = re.compile(r"[!-~]{1,200}")
_KEY = re.compile(r"[0-9a-z:.-]{1,64}")
_MS = re.compile(r"[1-9][0-9]{0,15}")
_HASH = re.compile(r"[0-9a-f]{64}")
_NONCE = re.compile(r"[0-9a-f]{32}")


class Refusal(IntEnum):
    """Why an approval is not acted on: also the ``code`` of the agent's reply."""

    MALFORMED = 20
    UNKNOWN_KEY = 21
    SIGNATURE = 22
    OTHER_CITY = 23
    OTHER_SCHOOL = 24
    NOT_YET = 25
    EXPIRED = 26
    TOO_LONG = 27
    """Good for longer than any approval may be."""
    PERSONS = 28
    """Approved by too few people, or by the one who asked."""
    OTHER_PLAN = 29
    OTHER_STATE = 30
    USED = 31
    CLOCK = 32
    """The agent does not know what time it is."""
    NOT_KEPT = 33
    """It could not be written down durably that this approval is used now."""
    FULL = 34
    NO_SUCH_INTENT = 35
    UNDER_WAY = 36
    """Something is being changed at that switch, or has not come to its end."""
    BEFORE_START = 37
    """Issued before this agent started: what it used before may have been rolled back with it."""
    NOT_HERE = 38
    """The school's own rules do not allow it."""
    UNREADABLE = 39
    """The switch cannot be logged in to, or is not understood."""
    SET_SO_ALREADY = 40
    """There is nothing to do: the port is set so."""
    CANNOT = 41
    """The switch has no means for it, or not for this port as it is set."""


class Refused(Exception):  # noqa: N818 - it is an answer to the one who asked
    """An approval that is not acted on; ``str()`` is one sentence."""

    def __init__(self, why: Refusal, sentence: str) -> None:
        self.why = why
        super().__init__(sentence)


class Risk(StrEnum):
    """How many people it takes."""

    ORDINARY = "ordinary"
    HIGH = "high"

    @property
    def approvers(self) -> int:
        """How many people must approve."""
        return 2 if self is Risk.HIGH else 1


def plan_hash(lines: Iterable[str]) -> bytes:
    """SHA-256 of a plan's exact lines, each with its length, so that no two plans share it."""
    return _listed(b"tenone-plan 1\n", lines)


def state_hash(facts: Mapping[str, str]) -> bytes:
    """SHA-256 of what was read of the devices: names and values, in the order of the names."""
    return _listed(
        b"tenone-state 1\n", (part for name in sorted(facts) for part in (name, facts[name]))
    )


def _listed(domain: bytes, texts: Iterable[str]) -> bytes:
    digest = hashlib.sha256(domain)
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What is signed. Raises :class:`Refused` (MALFORMED) where it is nothing one could sign."""

    key_id: str
    city: str
    school: str
    action: str
    risk: Risk
    intent: str
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    plan: bytes
    state: bytes
    requester: str
    approvers: tuple[str, ...]
    issued_ms: int
    expires_ms: int
    nonce: str

    def __post_init__(self) -> None:
        for name, shape in _TEXTS.items():
            value = getattr(self, name)
            if not isinstance(value, str) or not shape.fullmatch(value):
                raise _malformed(f"{name} is not {shape.pattern}")
        if len(self.parameters) > MOST_PARAMETERS:
            raise _malformed(f"it has more than {MOST_PARAMETERS} parameters")
        for name, value in self.parameters.items():
            if not _PARAMETER.fullmatch(name) or len(value) > MOST_VALUE:
                raise _malformed(f"the parameter {name[:40]!r} has a wrong name or is too long")
        if not self.approvers or list(self.approvers) != sorted(set(self.approvers)):
            raise _malformed("its approvers are none, or not in order, or one stands there twice")
        if not all(map(_ACCOUNT.fullmatch, self.approvers)):
            raise _malformed(f"an approver is not {_ACCOUNT.pattern}")
        if len(self.plan) != 32 or len(self.state) != 32:  # noqa: PLR2004 - octets of SHA-256
            raise _malformed("a hash is not of 32 octets")
        if not 0 < self.issued_ms < self.expires_ms < 10**16:
            raise _malformed("it ends before it begins")

    @property
    def text(self) -> str:
        """The canonical text; see the module."""
        lines = [
            FIRST_LINE,
            f"key {self.key_id}",
            f"city {self.city}",
            f"school {self.school}",
            f"action {self.action}",
            f"risk {self.risk.value}",
            f"intent {self.intent}",
            *(
                f"with {name} {json.dumps(self.parameters[name])}"
                for name in sorted(self.parameters)
            ),
            f"plan {self.plan.hex()}",
            f"state {self.state.hex()}",
            f"requester {self.requester}",
            *(f"approver {one}" for one in self.approvers),
            f"issued_ms {self.issued_ms}",
            f"expires_ms {self.expires_ms}",
            f"nonce {self.nonce}",
        ]
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> "Approval":
        """Read a canonical text; raises :class:`Refused` for anything else."""
        if len(text) > MOST_TEXT or not text.isascii() or not text.endswith("\n"):
            raise _malformed("it is no such text")
        first, *lines = text[:-1].split("\n")
        if first != FIRST_LINE:
            raise _malformed(f"it does not begin with {FIRST_LINE!r}")
        found: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(" ")
            found.setdefault(name, []).append(value)
        if found.keys() - {"with"} != _NAMES:
            raise _malformed("its lines are not those of an approval")
        one = {name: values[0] for name, values in found.items()}
        for name, shape in _SHAPES.items():
            if not shape.fullmatch(one[name]):
                raise _malformed(f"the line {name} is not {shape.pattern}")
        made = cls(
            key_id=one["key"],
            city=one["city"],
            school=one["school"],
            action=one["action"],
            risk=Risk(one["risk"]),
            intent=one["intent"],
            parameters=MappingProxyType(dict(map(_parameter, found.get("with", ())))),
            plan=bytes.fromhex(one["plan"]),
            state=bytes.fromhex(one["state"]),
            requester=one["requester"],
            approvers=tuple(found["approver"]),
            issued_ms=int(one["issued_ms"]),
            expires_ms=int(one["expires_ms"]),
            nonce=one["nonce"],
        )
        if made.text != text:  # order, doubles, other spellings of a value
            raise _malformed("its text is not the canonical one")
        return made


_TEXTS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "key_id": _KEY,
        "city": _SLUG,
        "school": _SLUG,
        "action": _ACTION,
        "intent": _INTENT,
        "requester": _ACCOUNT,
        "nonce": _NONCE,
    }
)
_SHAPES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "risk": re.compile("|".join(Risk)),
        "plan": _HASH,
        "state": _HASH,
        "issued_ms": _MS,
        "expires_ms": _MS,
    }
)
_NAMES = frozenset(
    {"key", "city", "school", "action", "risk", "intent", "plan", "state", "requester", "approver"}
    | {"issued_ms", "expires_ms", "nonce"}
)


def _parameter(line: str) -> tuple[str, str]:
    name, _, value = line.partition(" ")
    try:
        text = json.loads(value)
    except ValueError:
        text = None
    if not isinstance(text, str):
        raise _malformed(f"the parameter {name[:40]!r} has no text")
    return name, text


def _malformed(what: str) -> Refused:
    return Refused(Refusal.MALFORMED, f"this is no approval: {what}")


@dataclass(frozen=True, slots=True)
class Pins:
    """The city's approval keys as a school knows them: raw Ed25519 public keys.

    ``next`` is the key that will follow; a document signed by it is as good, so that the city can
    change keys without asking every school first.
    """

    current: bytes
    next: bytes | None = None

    def find(self, name: str) -> bytes | None:
        """The key called ``name``."""
        known = [key for key in (self.current, self.next) if key is not None]
        return next((key for key in known if key_id(key) == name), None)


@dataclass(frozen=True, slots=True)
class SignedApproval:
    """An approval as it travels."""

    text: str
    signature: bytes

    @classmethod
    def sign(cls, approval: Approval, key: Ed25519PrivateKey) -> "SignedApproval":
        """Sign with the key the approval names."""
        return cls(approval.text, key.sign(approval.text.encode("ascii")))

    def approval(self, pins: Pins) -> Approval:
        """What is approved, if the signature is the city's; raises :class:`Refused`."""
        approval = Approval.parse(self.text)
        public = pins.find(approval.key_id)
        if public is None:
            raise Refused(
                Refusal.UNKNOWN_KEY,
                f"the approval is signed with the key {approval.key_id}, which is not pinned here: "
                "enrol this school anew if the city has changed its keys",
            )
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(
                self.signature, self.text.encode("ascii")
            )
        except (InvalidSignature, ValueError) as error:
            raise Refused(
                Refusal.SIGNATURE, "the signature does not fit the approval's text"
            ) from error
        return approval


def check_place(approval: Approval, *, city: str, school: str) -> None:
    """Whether it is meant for this school; raises :class:`Refused`."""
    if approval.city != city:
        raise Refused(
            Refusal.OTHER_CITY, f"the approval is for the city {approval.city}, not {city}"
        )
    if approval.school != school:
        raise Refused(
            Refusal.OTHER_SCHOOL, f"the approval is for the school {approval.school}, not {school}"
        )


def check_persons(approval: Approval, *, at_least: int = 1) -> None:
    """Whether enough other people approved; ``at_least`` is the checker's own rule. Refused."""
    needed = max(approval.risk.approvers, at_least)
    if approval.requester in approval.approvers:
        raise Refused(
            Refusal.PERSONS, f"{approval.requester} asked for the action and cannot approve it"
        )
    if len(approval.approvers) < needed:
        raise Refused(
            Refusal.PERSONS,
            f"the action needs the approval of {needed} people and has {len(approval.approvers)}",
        )


def check_time(approval: Approval, now_ms: int, *, tolerance_ms: int = TOLERANCE_MS) -> None:
    """Whether it is good at ``now_ms``; raises :class:`Refused`.

    ``tolerance_ms`` forgives a clock that is behind the city's at the beginning. At the end it
    forgives nothing: a clock that is ahead refuses earlier, never later.
    """
    if approval.expires_ms - approval.issued_ms > LIFE_MS:
        raise Refused(
            Refusal.TOO_LONG, f"the approval is good for more than {LIFE_MS // 60_000} minutes"
        )
    if now_ms + tolerance_ms < approval.issued_ms:
        raise Refused(
            Refusal.NOT_YET,
            f"the approval is from {(approval.issued_ms - now_ms) // 1000} s in the future: "
            "set the clock",
        )
    if now_ms >= approval.expires_ms:
        raise Refused(
            Refusal.EXPIRED,
            f"the approval ended {(now_ms - approval.expires_ms) // 1000} s ago: ask for a new one",
        )


def check_plan(approval: Approval, lines: Sequence[str]) -> None:
    """Whether ``lines`` are what was approved; raises :class:`Refused`."""
    if len(lines) > MOST_LINES or plan_hash(lines) != approval.plan:
        raise Refused(
            Refusal.OTHER_PLAN,
            "the lines to execute are not the approved ones: a changed plan needs a new approval",
        )


def check_state(approval: Approval, facts: Mapping[str, str]) -> None:
    """Whether the devices are as they were when the plan was made; raises :class:`Refused`."""
    if state_hash(facts) != approval.state:
        raise Refused(
            Refusal.OTHER_STATE,
            "the devices are no longer as they were when the plan was made: plan anew",
        )
