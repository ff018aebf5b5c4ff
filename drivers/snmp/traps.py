"""Traps and informs, v1, v2c and v3, by pysnmp 7: bytes in, a hint or a refusal out.

No socket of its own: who listens hands over datagrams and a way to send (informs are
answered, RFC 3416 section 4.2.7; an SNMPv3 sender may ask for the engine id first). Import this
module only where traps are wanted: pysnmp takes 6 MB beside an agent, 19 MB by itself.

Whatever a datagram holds, :meth:`TrapEngine.take` returns.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from pyasn1.error import PyAsn1Error
from pysnmp.carrier.asyncio.dgram.udp import UdpTransportAddress
from pysnmp.carrier.base import AbstractTransportDispatcher
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413.ntfrcv import NotificationReceiver
from pysnmp.error import PySnmpError
from pysnmp.proto.rfc1902 import OctetString

from drivers.snmp import mib
from drivers.snmp.ber import Oid
from drivers.snmp.endpoint import Address
from drivers.snmp.errors import DecodeError
from drivers.snmp.v3.frame import AUTH, PRIV, is_v3, read_frame
from drivers.snmp.v3.keys import Auth, Priv, password_to_key
from drivers.snmp.v3.user import User
from tenone.trust.masked import Secret, bare
from tenone.vocabulary.hints import Hint, HintKind, Refusal

SNMP_TRAP_OID: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
"""SNMPv2-MIB snmpTrapOID: which notification it is."""
_SNMP_TRAPS: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 5)
KINDS: dict[Oid, HintKind] = {
    (*_SNMP_TRAPS, 1): HintKind.STARTED,  # coldStart
    (*_SNMP_TRAPS, 2): HintKind.STARTED,  # warmStart
    (*_SNMP_TRAPS, 3): HintKind.LINK_DOWN,
    (*_SNMP_TRAPS, 4): HintKind.LINK_UP,
    (*_SNMP_TRAPS, 5): HintKind.INTRUDER,  # authenticationFailure
}
"""SNMPv2-MIB snmpTraps and IF-MIB linkDown, linkUp."""
UPS_TRAPS: Oid = (1, 3, 6, 1, 2, 1, 33, 2)
"""RFC 1628 upsTraps: on battery, test completed, alarm added, alarm removed."""
_NAMES = (mib.IF_NAME, mib.IF_DESCR)
_COLUMN = len(mib.IF_INDEX)
MAX_ENGINES = 256
"""Senders of SNMPv3 whose keys are kept; the one unheard longest makes room."""
MAX_PORT_LETTERS = 64
_DOMAIN = config.SNMP_UDP_DOMAIN
_TROUBLE = (
    PyAsn1Error, PySnmpError, ArithmeticError, AssertionError, AttributeError, LookupError,
    NameError, RuntimeError, TypeError, ValueError, OSError,
)  # fmt: skip
"""What pysnmp and pyasn1 raise on hostile bytes: their own errors and, by defects, any other."""

_AUTH = {
    Auth.MD5: config.USM_AUTH_HMAC96_MD5,
    Auth.SHA1: config.USM_AUTH_HMAC96_SHA,
    Auth.SHA224: config.USM_AUTH_HMAC128_SHA224,
    Auth.SHA256: config.USM_AUTH_HMAC192_SHA256,
    Auth.SHA384: config.USM_AUTH_HMAC256_SHA384,
    Auth.SHA512: config.USM_AUTH_HMAC384_SHA512,
}
_PRIV = {
    Priv.DES: config.USM_PRIV_CBC56_DES,
    Priv.AES128: config.USM_PRIV_CFB128_AES,
    Priv.AES192: config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    Priv.AES256: config.USM_PRIV_CFB256_AES_BLUMENTHAL,
    Priv.AES192C: config.USM_PRIV_CFB192_AES,
    Priv.AES256C: config.USM_PRIV_CFB256_AES,
}
_COUNTERS = (
    ("__SNMPv2-MIB", "snmpInBadCommunityNames", Refusal.COMMUNITY),
    ("__SNMPv2-MIB", "snmpInBadCommunityUses", Refusal.COMMUNITY),
    ("__SNMP-USER-BASED-SM-MIB", "usmStatsUnknownUserNames", Refusal.USER),
    ("__SNMP-USER-BASED-SM-MIB", "usmStatsWrongDigests", Refusal.PROOF),
    ("__SNMP-USER-BASED-SM-MIB", "usmStatsDecryptionErrors", Refusal.PROOF),
    ("__SNMP-USER-BASED-SM-MIB", "usmStatsUnsupportedSecLevels", Refusal.PROOF),
    ("__SNMP-USER-BASED-SM-MIB", "usmStatsNotInTimeWindows", Refusal.TIME),
    ("__SNMP-MPD-MIB", "snmpUnknownPDUHandlers", Refusal.NO_NOTIFICATION),
    ("__SNMPv2-MIB", "snmpInASNParseErrs", Refusal.MALFORMED),
    ("__SNMPv2-MIB", "snmpInBadVersions", Refusal.MALFORMED),
)
"""Where pysnmp counts what it refuses: module, object, our word for it."""

Send = Callable[[bytes, Address], None]


class _Dispatcher(AbstractTransportDispatcher):
    """What pysnmp sends goes to the listener's socket."""

    def __init__(self, send: Send) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # as above
        self._send = send
        self.to: Address = ("", 0)

    def send_message(self, data: bytes, domain: object, address: object) -> None:
        """Answer the sender of the datagram in hand."""
        del domain, address
        self._send(bytes(data), self.to)


class TrapEngine:
    """Believes the given communities (v1, v2c) and users (v3)."""

    def __init__(
        self, *, communities: Sequence[Secret | str], users: Sequence[User], send: Send
    ) -> None:
        self._engine = SnmpEngine()
        self._dispatcher = _Dispatcher(send)
        self._engine.register_transport_dispatcher(self._dispatcher)
        for number, community in enumerate(communities):
            config.add_v1_system(self._engine, f"community-{number}", bare(community))
        self._users = {user.name.encode(): user for user in users}
        self._engines: OrderedDict[tuple[bytes, bytes], None] = OrderedDict()
        for user in users:
            self._add(user, bytes(self._engine.snmpEngineID))  # informs: we are the authority
        builder = self._engine.get_mib_builder()
        self._counters = [
            (builder.import_symbols(module, name)[0], refusal)
            for module, name, refusal in _COUNTERS
        ]
        self._heard: Hint | None = None
        self._receiver = NotificationReceiver(self._engine, self._notified)

    def take(self, data: bytes, address: Address) -> Hint | Refusal | None:
        """Read one datagram; answers it where it asks for an answer.

        None: a sender of SNMPv3 informs asked for our engine id (RFC 3414 section 4).
        """
        self._heard = None
        self._dispatcher.to = address
        before = [int(counter.syntax) for counter, _ in self._counters]
        try:
            refusal = self._meet(data) if is_v3(data) else None
            if refusal is not None:
                return refusal
            self._engine.message_dispatcher.receive_message(
                self._engine, _DOMAIN, UdpTransportAddress(address[:2]), data
            )
        except (DecodeError, *_TROUBLE):
            # What was heard before the trouble (an inform that could not be answered) is true.
            return self._result(Refusal.MALFORMED)
        for (counter, reason), value in zip(self._counters, before, strict=True):
            if int(counter.syntax) != value:
                return self._result(reason)
        asked = is_v3(data) and not read_frame(data).engine_id
        return self._result(None if asked else Refusal.MALFORMED)

    def _result(self, otherwise: Refusal | None) -> Hint | Refusal | None:
        return self._heard if self._heard is not None else otherwise

    def tick(self, now_seconds: float) -> None:
        """Let pysnmp forget what is old; call about once a second."""
        self._dispatcher.handle_timer_tick(now_seconds)

    def close(self) -> None:
        """Let go of the engine."""
        self._receiver.close(self._engine)
        self._engine.unregister_transport_dispatcher()

    def _meet(self, data: bytes) -> Refusal | None:
        """Make the keys of a sender that says its engine id for the first time.

        The sender of a trap is its own authority (RFC 3414 section 1.5.1), so every switch
        has keys of its own. A user who has a password is not believed without it.
        """
        frame = read_frame(data)
        user = self._users.get(frame.user)
        own = bytes(self._engine.snmpEngineID)
        if user is None or not frame.engine_id:
            return None
        wanted = (AUTH if user.auth else 0) | (PRIV if user.priv else 0)
        if frame.flags & wanted != wanted:
            return Refusal.PROOF
        if frame.engine_id == own:
            return None
        if user.engine_id and user.engine_id != frame.engine_id:
            return Refusal.USER
        key = (frame.user, frame.engine_id)
        if key in self._engines:
            self._engines.move_to_end(key)
            return None
        if len(self._engines) >= MAX_ENGINES:
            (name, engine_id), _ = self._engines.popitem(last=False)
            config.delete_v3_user(self._engine, name.decode(), _octets(engine_id))
        self._engines[key] = None
        self._add(user, frame.engine_id)
        return None

    def _add(self, user: User, engine_id: bytes) -> None:
        auth_key = priv_key = None
        if user.auth is not None:
            auth_key = password_to_key(bare(user.auth_password).encode(), user.auth)
            priv_key = password_to_key(
                bare(user.priv_password or user.auth_password).encode(), user.auth
            )
        config.add_v3_user(
            self._engine,
            user.name,
            authProtocol=config.USM_AUTH_NONE if user.auth is None else _AUTH[user.auth],
            authKey=auth_key,
            privProtocol=config.USM_PRIV_NONE if user.priv is None else _PRIV[user.priv],
            privKey=None if user.priv is None else priv_key,
            securityEngineId=_octets(engine_id),
            authKeyType=config.USM_KEY_TYPE_MASTER,
            privKeyType=config.USM_KEY_TYPE_MASTER,
        )

    def _notified(  # noqa: PLR0917 - pysnmp calls it so
        self,
        engine: object,
        reference: object,
        engine_id: object,
        context: object,
        varbinds: Sequence[tuple[Any, Any]],
        extra: object,
    ) -> None:
        """Pysnmp's callback, within :meth:`take`."""
        del engine, reference, engine_id, context, extra
        self._heard = hint_of([(tuple(name), value) for name, value in varbinds])


def hint_of(varbinds: Sequence[tuple[Oid, Any]]) -> Hint:
    """What the variables of a notification say."""
    which = next((tuple(value) for name, value in varbinds if name == SNMP_TRAP_OID), ())
    if which[: len(UPS_TRAPS)] == UPS_TRAPS:
        return Hint(HintKind.POWER)
    kind = KINDS.get(which, HintKind.OTHER)
    return Hint(kind, _port(varbinds) if kind in {HintKind.LINK_DOWN, HintKind.LINK_UP} else None)


def _port(varbinds: Sequence[tuple[Oid, Any]]) -> str | None:
    for column in _NAMES:
        for name, value in varbinds:
            if name[: len(column)] == column:
                return bytes(value).decode("utf-8", "replace")[:MAX_PORT_LETTERS]
    for name, _ in varbinds:
        if name[:_COLUMN] == mib.IF_INDEX and len(name) > _COLUMN:
            return f"#{name[_COLUMN]}"
    return None


def _octets(data: bytes) -> Any:
    return OctetString(data)  # type: ignore[no-untyped-call] # pysnmp has no types
