"""Enrolment, renewal, revocation: who gets a certificate, who does not, what is written down."""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from controller.trust.ca import DAY
from controller.trust.entries import Entry, LedgerError, Outcome
from controller.trust.machine_records import MachineRecords
from controller.trust.papers import MachineError
from controller.trust.registry import Machine, MachineState
from tenone.trust.enrolment import (
    Renewal,
    Token,
    check_answer,
    load_certificates,
    make_csr,
    new_key,
    spki_hash,
)
from tenone.trust.names import MachineName

from .city import City, Holder

OTHERS = "urn:tenone:binhai:agent:no4"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = City(tmp_path)
    yield made
    made.close()


async def refused(city: City, token: str | None, key: ec.EllipticCurvePrivateKey) -> MachineError:
    with pytest.raises(MachineError) as found:
        await city.desk.enrol(token=token, csr=make_csr(key, "no3"), client="10.0.0.1")
    return found.value


async def test_a_token_makes_a_certificate_of_what_it_was_bound_to(city: City) -> None:
    token, expires = await city.desk.token("agent:no3", by="account:wang")
    assert expires == city.now + 24 * 3600
    assert token.authority == city.authorities.issuing.spki
    key = new_key()
    papers = await city.desk.enrol(
        token=token.text, csr=make_csr(key, "another school"), client="10.0.0.1"
    )
    own = check_answer(
        papers.chain.encode(),
        papers.bundle.encode(),
        key.public_key(),
        MachineName.agent("no3").urn("binhai"),
    )
    (common,) = own.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert common.value == "no3"
    assert papers.not_after == city.now + 7 * DAY
    found = city.registry.find("agent:no3")
    assert found is not None
    assert found.state(city.now) is MachineState.ACTIVE
    assert city.registry.valid_until("agent:no3") == papers.not_after
    assert city.ledger.acts() == [
        ("authority.create", "", "done"),
        ("machine.token", "agent:no3", "done"),
        ("machine.enrol", "agent:no3", "done"),
    ]
    secret = token.text.split(".")[1]
    assert secret not in repr(city.ledger.entries)
    assert secret.encode() not in (city.folder / "records.db").read_bytes()
    assert city.records.load(city.now) == list(city.registry.machines()), "a restart knows it"


async def test_a_token_is_used_once_even_when_raced(city: City) -> None:
    token, _ = await city.desk.token("agent:no3", by="account:wang")
    done = await asyncio.gather(
        *(
            city.desk.enrol(token=token.text, csr=make_csr(new_key(), "x"), client=f"10.0.0.{n}")
            for n in range(8)
        ),
        return_exceptions=True,
    )
    assert sum(not isinstance(one, BaseException) for one in done) == 1
    told = {str(one) for one in done if isinstance(one, MachineError)}
    assert len(told) == 1, "wrong, used and too old are one sentence"


async def test_a_token_that_two_desks_hold_is_used_once(city: City) -> None:
    """Two processes on one set of records, as controller and console: the records decide."""
    token, _ = await city.desk.token("agent:no3", by="account:wang")
    other = City(city.folder, clock=city.clock)
    await other.desk.open()
    asked = [
        desk.enrol(token=token.text, csr=make_csr(new_key(), "no3"), client="10.0.0.1")
        for desk in (city.desk, other.desk) * 4
    ]
    done = await asyncio.gather(*asked, return_exceptions=True)
    other.close()
    assert sum(not isinstance(one, BaseException) for one in done) == 1
    assert {one.code for one in done if isinstance(one, MachineError)} <= {"token", "too-many"}


async def test_what_a_request_wishes_for_is_not_granted(city: City) -> None:
    """An authority, another's names, other uses, a serial: of a request only its key counts."""
    key = new_key()
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=True,
        data_encipherment=True, key_agreement=True, key_cert_sign=True, crl_sign=True,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    names = [x509.DNSName("city.example"), x509.UniformResourceIdentifier(OTHERS)]
    wish = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "no4/#")]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    csr = wish.public_bytes(serialization.Encoding.PEM).decode()
    token, _ = await city.desk.token("agent:no3", by="account:wang")
    papers = await city.desk.enrol(token=token.text, csr=csr, client="10.0.0.1")
    made = load_certificates(papers.chain.encode())[0]
    held = made.extensions
    assert not held.get_extension_for_class(x509.BasicConstraints).value.ca
    granted = held.get_extension_for_class(x509.KeyUsage).value
    assert (granted.key_cert_sign, granted.crl_sign) == (False, False)
    uses = list(held.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert uses == [ExtendedKeyUsageOID.CLIENT_AUTH]
    others = held.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [one.value for one in others] == ["urn:tenone:binhai:agent:no3"]
    subject = made.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert [one.value for one in subject] == ["no3"]


async def test_nobody_makes_an_authority_by_asking_for_it(city: City) -> None:
    for attempt in (
        city.desk.bundle(),
        city.desk.enrol(token=None, csr=make_csr(new_key(), "x"), client="a"),
    ):
        with pytest.raises(MachineError) as error:
            await attempt
        assert error.value.status == 404
    assert not city.authorities.exists()
    assert city.ledger.entries == []


@pytest.mark.parametrize("wrong", ["unknown", "expired", "replaced", "revoked"])
async def test_other_tokens_are_refused_in_one_sentence(city: City, wrong: str) -> None:
    token, _ = await city.desk.token("agent:no3", by="account:wang", seconds=60)
    match wrong:
        case "unknown":
            token = Token.new(token.authority)
        case "expired":
            city.clock.advance(60)
        case "replaced":
            await city.desk.token("agent:no3", by="account:wang")
        case "revoked":
            await city.desk.revoke("agent:no3", why="lost", by="account:wang")
    error = await refused(city, token.text, new_key())
    assert (error.status, error.code) == (403, "token")
    assert city.ledger.acts()[-1] == ("machine.enrol", "", "refused")


@pytest.mark.parametrize(
    ("name", "status"),
    [("no3", 400), ("agent:NO3", 400), ("agent:no3\n", 400), ("agent:elsewhere", 404),
     ("server:web", 400), ("device:no3/board/../x", 400)],
)  # fmt: skip
async def test_no_token_for_what_is_no_machine(city: City, name: str, status: int) -> None:
    with pytest.raises(MachineError) as error:
        await city.desk.token(name, by="account:wang")
    assert error.value.status == status
    assert not city.ledger.entries or city.ledger.acts() == [("authority.create", "", "done")]


async def test_guessing_is_slowed_down_and_honest_ones_go_on(city: City) -> None:
    holder = await city.enrol("agent:no5")
    for _ in range(10):
        assert (await refused(city, Token.new(b"\0" * 32).text, new_key())).status == 403
    slow = await refused(city, Token.new(b"\0" * 32).text, new_key())
    assert (slow.status, slow.retry_seconds > 0) == (429, True)
    assert city.ledger.acts().count(("machine.enrol", "", "refused")) == 10, "no flood of entries"
    token, _ = await city.desk.token("agent:no3", by="account:wang")
    await city.desk.enrol(token=token.text, csr=make_csr(new_key(), "x"), client="10.0.0.1")
    await renew(holder)
    city.clock.advance(61)
    assert (await refused(city, Token.new(b"\0" * 32).text, new_key())).status == 403
    assert (await refused(city, "no token", new_key())).status == 400


async def test_without_the_ledger_nothing_is_issued_and_the_token_stays_good(city: City) -> None:
    token, _ = await city.desk.token("agent:no3", by="account:wang")
    city.ledger.broken = True
    with pytest.raises(LedgerError):
        await city.desk.enrol(token=token.text, csr=make_csr(new_key(), "x"), client="a")
    assert city.registry.valid_until("agent:no3") is None
    for attempt in (
        city.desk.token("agent:no4", by="account:wang"),
        city.desk.revoke("agent:no3", why="x", by="account:wang"),
    ):
        with pytest.raises(LedgerError):
            await attempt
    city.ledger.broken = False
    await city.desk.enrol(token=token.text, csr=make_csr(new_key(), "x"), client="a")


async def test_who_is_enrolled_anew_replaces_what_was_before(city: City) -> None:
    first = await city.enrol()
    second = await city.enrol()
    crl = x509.load_pem_x509_crl((city.folder / "broker-crl.pem").read_bytes())
    assert crl.get_revoked_certificate_by_serial_number(first.certificate.serial_number)
    assert not crl.get_revoked_certificate_by_serial_number(second.certificate.serial_number)
    with pytest.raises(MachineError):
        await renew(first)
    await renew(second)


async def renew(
    holder: Holder,
    key: ec.EllipticCurvePrivateKey | None = None,
    *,
    signer: ec.EllipticCurvePrivateKey | None = None,
    asked: Renewal | None = None,
) -> Holder:
    key = key or new_key()
    asked = asked or holder.request(make_csr(key, "x"))
    papers = await holder.city.desk.renew(
        renewal=asked,
        signature=base64.b64encode(asked.sign(signer or holder.key)).decode(),
        client="10.0.0.1",
    )
    return Holder(holder.city, key, papers)


async def test_the_next_certificate_is_of_the_next_key_and_needs_no_token(city: City) -> None:
    told: list[Machine] = []
    city.registry.on_changed(told.append)
    holder = await city.enrol()
    for _ in range(5):
        city.clock.advance(5 * DAY)
        before = holder
        holder = await renew(holder)
        assert spki_hash(holder.certificate.public_key()) == spki_hash(holder.key.public_key())
        assert holder.papers.not_after == city.now + 7 * DAY
        assert city.registry.valid_until("agent:no3") == holder.papers.not_after
        assert before.certificate.subject == holder.certificate.subject
    assert len(told) == 7
    assert [one for one, _, _ in city.ledger.acts()].count("machine.renew") == 5
    city.clock.advance(7 * DAY)
    found = city.registry.find("agent:no3")
    assert found is not None
    assert found.state(city.now) is MachineState.EXPIRED
    with pytest.raises(MachineError, match="Enrol again"):
        await renew(holder)
    assert (await city.enrol()).papers.not_after == city.now + 7 * DAY


async def test_an_answer_that_was_lost_can_be_asked_for_again(city: City) -> None:
    holder, key = await city.enrol(), new_key()
    first = await renew(holder, key)
    second = await renew(holder, key)
    assert first.certificate == second.certificate


@pytest.mark.parametrize(
    "wrong", ["signer", "serial", "old", "future", "replay", "revoked", "superseded", "csr", "text"]
)
async def test_other_renewals_are_refused(city: City, wrong: str) -> None:
    holder, stranger = await city.enrol(), await city.enrol("agent:no4")
    csr, signer, signature = make_csr(new_key(), "x"), holder.key, ""
    asked = holder.request(csr)
    match wrong:
        case "signer":
            signer = stranger.key
        case "serial":
            asked = holder.request(csr, serial=stranger.certificate.serial_number)
        case "old":
            asked = holder.request(csr, wall_ns=city.clock.wall_ns() - 301 * 10**9)
        case "future":
            asked = holder.request(csr, wall_ns=city.clock.wall_ns() + 301 * 10**9)
        case "replay":
            await renew(holder, asked=asked)
        case "revoked":
            await city.desk.revoke("agent:no3", why="lost", by="account:wang")
        case "superseded":
            await city.enrol()
        case "csr":
            asked = holder.request("hello")
        case "text":  # what is signed is another request
            signature = base64.b64encode(asked.sign(signer)).decode()
            asked = replace(asked, csr=make_csr(new_key(), "x"))
    signature = signature or base64.b64encode(asked.sign(signer)).decode()
    with pytest.raises(MachineError) as error:
        await city.desk.renew(renewal=asked, signature=signature, client="10.0.0.1")
    codes = {"old": "clock", "future": "clock", "replay": "replay", "csr": "request"}
    assert error.value.code == codes.get(wrong, "renewal")


async def test_one_who_holds_a_key_cannot_fill_the_records(city: City) -> None:
    holder = await city.enrol()
    for _ in range(11):
        await renew(holder)
    with pytest.raises(MachineError, match="too many"):
        await renew(holder)


async def test_revoked_is_told_listed_and_final_until_enrolled_again(city: City) -> None:
    heard: list[tuple[str, int | None]] = []
    city.registry.on_revoked(
        lambda one: heard.append((one.name, city.registry.valid_until(one.name)))
    )
    holder = await city.enrol()
    other = await city.enrol("agent:no4")
    gone = await city.desk.revoke("agent:no3", why="gateway stolen", by="account:wang")
    assert (gone.state(city.now), gone.why) == (MachineState.REVOKED, "gateway stolen")
    assert heard == [("agent:no3", None)], "it counts no more when they hear of it"
    text = (city.folder / "broker-crl.pem").read_bytes()
    assert text == city.crl.path.read_bytes()
    crl = x509.load_pem_x509_crl(text)
    assert crl.is_signature_valid(city.authorities.issuing.signing_key.public_key())
    assert crl.get_revoked_certificate_by_serial_number(holder.certificate.serial_number)
    assert not crl.get_revoked_certificate_by_serial_number(other.certificate.serial_number)
    der = city.desk.crl(None)
    assert der is not None
    assert x509.load_der_x509_crl(der) == crl
    assert city.desk.crl("f" * 16) is None
    assert ("machine.revoke", "agent:no3", "done") in city.ledger.acts()
    await city.enrol()
    assert city.registry.valid_until("agent:no3") == city.now + 7 * DAY
    again = City(city.folder, clock=city.clock)
    assert {one.name: one.valid_until for one in again.registry.machines()} == {
        one.name: one.valid_until for one in city.registry.machines()
    }
    again.close()
    with pytest.raises(MachineError):
        await city.desk.revoke("agent:no9", why="x", by="account:wang")


async def test_lists_hold_every_trusted_authority_and_count_up(city: City) -> None:
    await city.enrol()
    numbers = []
    for _ in range(3):
        await city.desk.make_lists()
        crl = x509.load_pem_x509_crl(city.crl.path.read_bytes())
        numbers.append(crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number)
    assert numbers == sorted(set(numbers))
    city.authorities.add(city.now)
    await city.desk.make_lists()
    assert city.crl.path.read_bytes().count(b"BEGIN X509 CRL") == 2
    assert not city.crl.due(city.now)
    assert city.crl.due(city.now + DAY)


async def test_a_factory_key_enrols_its_machine_and_no_other(city: City) -> None:
    await city.desk.open(make=True)
    key = new_key()
    pair = (spki_hash(key.public_key()).hex(), "device:no3/board/b-0301")
    city.records.add_factory_keys([pair], "m" * 64, now_ns=city.clock.wall_ns(), told=True)
    assert city.records.add_factory_keys([pair], "n" * 64, now_ns=1, told=True) == 0
    papers = await city.desk.enrol(token=None, csr=make_csr(key, "x"), client="10.0.0.1")
    assert papers.machine == "device:no3/board/b-0301"
    assert papers.not_after == city.now + 30 * DAY
    assert (await refused(city, None, new_key())).code == "factory"
    await city.desk.revoke(papers.machine, why="lost", by="account:wang")
    assert (await refused(city, None, key)).code == "factory"


@pytest.mark.parametrize("how", ["revoked", "replaced"])
async def test_a_factory_key_that_was_barred_stays_so(city: City, how: str) -> None:
    """Who stole a device, or bought an old one, does not put out the one that followed it."""
    await city.desk.open(make=True)
    key, name = new_key(), "device:no3/board/b-0301"
    pair = (spki_hash(key.public_key()).hex(), name)
    city.records.add_factory_keys([pair], "m" * 64, now_ns=city.clock.wall_ns(), told=True)
    await city.desk.enrol(token=None, csr=make_csr(key, "x"), client="10.0.0.1")
    again = await city.desk.enrol(token=None, csr=make_csr(key, "x"), client="10.0.0.1")
    assert again.machine == name, "a device that lost its certificate may come again"
    if how == "revoked":
        await city.desk.revoke(name, why="stolen", by="account:wang")
    follower = await city.enrol(name)
    assert (await refused(city, None, key)).code == "factory"
    assert city.records.add_factory_keys([pair], "m" * 64, now_ns=1, told=True) == 0
    assert (await refused(city, None, key)).code == "factory", "the manifest was replayed"
    known = city.registry.find(name)
    assert known is not None
    assert known.newest is not None
    assert known.newest.serial == f"{follower.certificate.serial_number:x}"


async def test_one_who_renews_without_end_holds_up_nobody_else(city: City) -> None:
    holder, other = await city.enrol(), await city.enrol("agent:no4")
    key = new_key()
    for _ in range(100):
        await renew(holder, key)
    with pytest.raises(MachineError, match="came before"):
        await renew(holder, key)
    await renew(other)
    city.clock.advance(601)
    await renew(holder, key)


async def test_what_the_console_did_is_found_and_told_once(city: City) -> None:
    await city.desk.open(make=True)
    beside = MachineRecords(city.sql)
    now_ns = city.clock.wall_ns()
    token = Token.new(city.authorities.issuing.spki)
    beside.invite(
        "agent:no5",
        city.desk.scope_of("agent:no5")[1],
        token.digest,
        by="console:root",
        now_ns=now_ns,
        expires_ns=now_ns + 10**12,
        told=False,
    )
    beside.add_factory_keys([("a" * 64, "agent:no6")], "m", now_ns=now_ns, told=False)
    found = city.records.untold()
    assert [(one.act, one.machine, one.by) for one in found] == [
        ("machine.token", "agent:no5", "console:root"),
        ("machine.manifest", "agent:no6", "console:unknown"),
    ]
    for one in found:
        city.records.mark_told(one)
    assert city.records.untold() == []


@pytest.mark.slow
async def test_a_thousand_agents_renew(tmp_path: Path) -> None:
    city = City(tmp_path)
    holders = [await city.enrol(f"agent:no{number}") for number in range(1000)]
    city.clock.advance(5 * DAY)
    begun = time.perf_counter()
    fresh = [await renew(one) for one in holders]
    seconds = time.perf_counter() - begun
    print(f"1000 renewals in {seconds:.2f} s")
    assert all(one.papers.not_after == city.now + 7 * DAY for one in fresh)
    serials = {load_certificates(one.papers.chain.encode())[0].serial_number for one in fresh}
    assert len(serials) == 1000
    city.close()


class Meanwhile:
    """A ledger that does something else while the entry of ``act`` is being written."""

    def __init__(self, city: City, act: str, deed: Callable[[], Awaitable[object]]) -> None:
        self._write, self._act, self._deed = city.ledger.write, act, deed
        city.ledger.write = self.write  # type: ignore[method-assign] # put in between

    async def write(self, entry: Entry) -> None:
        await self._write(entry)
        if entry.act == self._act and entry.outcome is Outcome.DONE:
            self._act = ""
            await self._deed()


async def test_a_renewal_that_was_on_its_way_does_not_outlive_a_revocation(city: City) -> None:
    held, following = await city.enrol(), new_key()
    Meanwhile(
        city, "machine.renew", lambda: city.desk.revoke("agent:no3", why="lost", by="account:wang")
    )
    asked = held.request(make_csr(following, "x"))
    with pytest.raises(MachineError) as found:
        await city.desk.renew(
            renewal=asked,
            signature=base64.b64encode(asked.sign(held.key)).decode(),
            client="10.0.0.1",
        )
    assert found.value.status == 403
    (machine,) = city.records.load(city.now)
    assert all(one.revoked_ns for one in machine.certificates)
    assert city.registry.valid_until("agent:no3") is None
    assert city.ledger.acts()[-1] == ("machine.renew", "agent:no3", "failed")


async def test_a_renewal_that_was_on_its_way_does_not_outlive_a_new_enrolment(city: City) -> None:
    held, following = await city.enrol(), new_key()
    Meanwhile(city, "machine.renew", city.enrol)
    asked = held.request(make_csr(following, "x"))
    with pytest.raises(MachineError) as found:
        await city.desk.renew(
            renewal=asked,
            signature=base64.b64encode(asked.sign(held.key)).decode(),
            client="10.0.0.1",
        )
    assert found.value.status == 403
    (machine,) = city.records.load(city.now)
    assert [bool(one.revoked_ns) for one in machine.certificates] == [True, False]


async def test_an_enrolment_that_was_on_its_way_does_not_undo_a_revocation(city: City) -> None:
    token, _ = await city.desk.token("agent:no3", by="account:wang")
    Meanwhile(
        city, "machine.enrol", lambda: city.desk.revoke("agent:no3", why="lost", by="account:wang")
    )
    for _ in range(2):  # nor does the token count again because it led to nothing
        error = await refused(city, token.text, new_key())
        assert error.status == 403
    (machine,) = city.records.load(city.now)
    assert machine.revoked_ns is not None
    assert not machine.certificates
