"""Certificates made on the console, beside a running controller, which tells the ledger later."""

import json
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.serialization import Encoding

from controller.trust.authorities import Authorities
from controller.trust.ca import Names, Revoked, issue, make_crl, renew_after
from controller.trust.machine_desk import certificate_of
from controller.trust.machine_records import Issued, MachineRecords
from controller.trust.papers import Papers
from controller.trust.servers import ServerCertificate
from tenone.trust.enrolment import EnrolmentError, Token, key_of_csr
from tenone.trust.names import MachineKind, MachineName
from tenone.vocabulary.scope import ScopePath

NS = 1_000_000_000
MAX_REQUEST = 40_000


class OfflineError(Exception):
    """A request that was carried here and cannot be answered; one sentence."""


def answer(
    request: bytes,
    *,
    city: str,
    authorities: Authorities,
    records: MachineRecords,
    scope_of: Callable[[MachineName], ScopePath | None],
    lifetimes: Mapping[MachineKind, int],
    crl_url: str | None,
    now_ns: int,
) -> Papers:
    """The papers for a request ``{"token", "csr"}``. OfflineError, EnrolmentError, StoreError."""
    try:
        said = json.loads(request[:MAX_REQUEST])
        text, csr = str(said["token"]), str(said["csr"])
    except (ValueError, KeyError, TypeError):
        raise OfflineError("this is no request of 'tenone enrol --csr-out'") from None
    key, token = key_of_csr(csr), Token.parse(text)
    spent = records.spend(token.digest, now_ns)
    if spent is None:
        raise OfflineError("the request's token is wrong, used, replaced or too old")
    name = MachineName.parse(spent.machine)
    scope = scope_of(name)
    if scope is None:
        raise EnrolmentError(f"the school of {name} is not in the city's configuration")
    now, issuing = now_ns // NS, authorities.issuing
    made = issue(
        issuing,
        Names(machine=name, city=city),
        key,
        now=now,
        lifetime=lifetimes[name.kind],
        crl_url=None if crl_url is None else f"{crl_url}/{issuing.id}",
    )
    chain = authorities.chain(made).decode("ascii")
    one = certificate_of(made, issuing.id, now_ns)
    issued = Issued(certificate=one, machine=str(name), how="console", chain=chain, told=False)
    records.add([issued], scope, now_ns)
    return Papers(
        machine=str(name),
        chain=chain,
        bundle=authorities.bundle.decode("ascii"),
        crl=_lists(authorities, records.revoked(now), now, now_ns),
        renew_after=renew_after(made),
        not_after=one.not_after,
    )


def keep_server(
    records: MachineRecords,
    authorities: Authorities,
    made: ServerCertificate,
    *,
    name: str,
    city: str,
    now_ns: int,
) -> None:
    """Enter a server's certificate among the machines."""
    issued = Issued(
        certificate=certificate_of(made.certificate, authorities.issuing.id, now_ns),
        machine=f"{MachineKind.SERVER.value}:{name}",
        how="server",
        chain=made.chain.decode("ascii"),
        told=False,
    )
    records.add([issued], ScopePath.parse(city), now_ns)


def _lists(
    authorities: Authorities, revoked: Mapping[str, list[Revoked]], now: int, now_ns: int
) -> str:
    return b"".join(
        make_crl(one, revoked.get(one.id, ()), now=now, number=now_ns // 1_000_000).public_bytes(
            Encoding.PEM
        )
        for one in authorities.trusted
        if one.key is not None
    ).decode("ascii")
