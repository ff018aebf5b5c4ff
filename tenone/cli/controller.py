"""``tenone controller``: the city's controller with its pages, in one process."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
from typing import Annotated

import typer

from controller.api.app import create_app
from controller.api.hub import Hub
from controller.api.security import SIGN_IN_PATH
from controller.api.services import HttpConfig, Services
from controller.api.session_records import RecordsSessionStore
from controller.api.sessions import SessionKind, Sessions
from controller.api.trend import Trend
from controller.evidence.answers import Answers
from controller.service import Controller
from controller.store.influx import ExportError
from controller.store.protocols import StoreError
from controller.trust.approvals import approvals_room
from controller.trust.brokers import broker_room_of
from controller.trust.ca import CaError
from controller.trust.entries import Entry
from controller.trust.keys.room import key_room
from controller.trust.machine_room import machine_room
from controller.trust.oidc import OidcDoor, oidc_door
from controller.trust.people.desk import People
from controller.trust.people.room import people_room
from controller.trust.web import WebCertificate, said_of
from dashboards.ops.incident_words import teller
from dashboards.ops.site import mount
from drivers.wire.embedded import BrokerError, EmbeddedBroker
from drivers.wire.endpoint import EndpointError
from drivers.wire.mqtt_values import Endpoint
from tenone.cli._console import CityFile, configured
from tenone.cli._https import serve
from tenone.cli._logs import start_log
from tenone.cli._service import run_service, sd_notify
from tenone.cli.bench_machine import version_of
from tenone.cli.docs import docs_directory
from tenone.cli.docs import router as handbook_router
from tenone.config import City, SecretError, load_city
from tenone.config.quantities import is_loopback
from tenone.runtime.clock import Clock, SystemClock
from tenone.runtime.supervisor import Supervisor
from tenone.vocabulary.roles import Grant, Role
from tenone.vocabulary.scope import ScopePath

log = logging.getLogger(__name__)

CANNOT_START = 1
BAD_CONFIGURATION = 2
DEMO_ROLES = (Role.OPERATOR, Role.APPROVER)


class HttpError(Exception):
    """The page's address cannot be used."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("controller")(controller)


def controller(
    config: CityFile,
    ready_json: Annotated[
        bool, typer.Option("--ready-json", help="Say that it is ready as one JSON line.")
    ] = False,
    demo: Annotated[bool, typer.Option(hidden=True, help="Pages say it is a demo.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details.")] = False,
) -> None:
    """Receive, keep, judge and show a whole city. SIGTERM drains and stops within seconds."""
    start_log(verbose=verbose)
    city = configured(load_city, config)
    if demo and not (city.broker.embedded and is_loopback(city.http.host)):
        typer.echo(
            "tenone controller: --demo lets a code act in the whole city: it is for an embedded "
            "broker and a page on loopback; leave it out, and set accounts up",
            err=True,
        )
        raise typer.Exit(BAD_CONFIGURATION)
    try:
        run_service(lambda stop: _serve(city, stop, ready_json=ready_json, demo=demo))
    except (
        BrokerError, EndpointError, ExportError, HttpError, SecretError, StoreError
    ) as error:  # fmt: skip
        typer.echo(f"tenone controller: {error}", err=True)
        raise typer.Exit(CANNOT_START) from None


async def _serve(city: City, stop: asyncio.Event, *, ready_json: bool, demo: bool) -> None:
    clock = SystemClock()
    async with contextlib.AsyncExitStack() as closing:
        web = await asyncio.to_thread(_web_certificate, city, clock)
        endpoint = await _broker(city, closing)
        running = await closing.enter_async_context(
            Controller(city, clock=clock, endpoint=endpoint)
        )
        hub = _hub(running, clock)
        kept = RecordsSessionStore.beside(running.records.engine)
        closing.callback(kept.close)
        sessions = Sessions(
            clock,
            kept,
            # Watching is not use; in a demo the one printed code is spent, so nobody idles out.
            idle_seconds=city.auth.session_seconds if demo else city.auth.idle_seconds,
            absolute_seconds=city.auth.session_seconds,
            on_code_used=lambda: _say_code(issue(), as_json=ready_json) if demo else None,
        )
        people = people_room(running.rooms.values()).people(sessions)
        people.on_closed = lambda: hub.end(lambda owner: not sessions.is_kept(owner))

        def issue() -> str:
            """A fresh code: it sets the city up, or in a demo opens a session that may do much."""
            if demo:
                # The second lets who presses the red stop take it back; a code approves nothing.
                everywhere = tuple(Grant(role, ScopePath()) for role in DEMO_ROLES)
                return sessions.issue_code(everywhere, seconds=city.auth.session_seconds)
            return sessions.issue_code(kind=SessionKind.SET_UP)

        # Codes do not last; whoever runs the controller may ask it for another one.
        asyncio.get_running_loop().add_signal_handler(
            signal.SIGUSR1, lambda: _say_code(issue(), as_json=ready_json)
        )
        services = _services(city, running, hub, people, demo=demo)
        if web is not None:
            services.health = (*services.health, web.health)
            if web.made_authority:
                await running.ledger.write(Entry(act="authority.create", actor="system"))
        app = create_app(services)
        mount(app, services)
        handbook = docs_directory()
        if handbook is not None:
            app.include_router(handbook_router(handbook))
        tasks = await closing.enter_async_context(Supervisor(clock))
        tasks.start("live stream", hub.run)
        tasks.start("trend", services.trend.run)
        if web is not None:
            tasks.start("web certificate", web.run)
        listening = _listening(city)
        url = _url(city, listening)
        await closing.enter_async_context(serve(app, listening, web, hub.close))
        code = issue() if demo or not await people.has_keeper() else None
        _say_ready(url, code, city, web, ready_json=ready_json)
        await stop.wait()
        sd_notify("STOPPING=1")
        log.info("stopping")


def _services(city: City, running: Controller, hub: Hub, people: People, *, demo: bool) -> Services:
    """What the HTTP side is handed."""
    clock = SystemClock()
    return Services(
        city=running.city,
        hub=hub,
        sessions=people.sessions,
        people=people,
        oidc=_oidc(city, people),
        trend=Trend(clock, running.city),
        clock=clock,
        records=running.records,
        actions=running.asking,
        minutes=running.minutes,
        incidents=running.incident_desk,
        topology=running.topology,
        configurations=running.configurations,
        office=running.office,
        reports=_answers(running),
        ledger=running.ledger,
        notes=running.ledger,
        audit=running.audit.desk,
        keys=key_room(running.rooms.values()).desk,
        machines=machine_room(running.rooms.values()).desk,
        machine_sessions=broker_room_of(running.rooms.values()),
        approvals=approvals_room(running.rooms.values()),
        enforcement=running.enforcement,
        health=running.health(),
        ingest=running.figures,
        config=_http_config(city, demo=demo),
    )


def _oidc(city: City, people: People) -> OidcDoor | None:
    try:
        return oidc_door(city.auth.oidc, people, SystemClock())
    except OSError as error:  # ssl.SSLError is one
        raise HttpError(f"auth.oidc.ca cannot be read: {error}") from error


def _hub(running: Controller, clock: Clock) -> Hub:
    """The live stream, fed by live state and incidents; messages get the pages' words."""
    room = running.incidents
    hub = Hub(clock, running.city, incidents=room.changes)
    running.city.listen(hub.publish)
    room.listen(hub.publish)
    if room.postman is not None:
        room.postman.speak(teller(lambda: clock.wall_ns() / 1e9))
    return hub


def _http_config(city: City, *, demo: bool) -> HttpConfig:
    token = city.http.metrics_token
    return HttpConfig(
        demo=demo,
        secure_cookies=city.http.is_secure,
        hosts=city.http.hosts,
        metrics_token=token.fetch() if token else None,
    )


def _answers(running: Controller) -> Answers:
    version = version_of("tenone") or "0"
    return Answers(running.evidence, version, lambda: running.store.duplicates)


async def _broker(city: City, closing: contextlib.AsyncExitStack) -> Endpoint | None:
    """Start the embedded broker where it is asked for; None: the configured one is used."""
    if not city.broker.embedded:
        return None
    broker = EmbeddedBroker(host=city.broker.host, port=city.broker.port)
    await closing.enter_async_context(broker)
    log.info("the embedded broker listens on %s port %d", broker.host, broker.port)
    return Endpoint(host=broker.host, port=broker.port)


def _listening(city: City) -> socket.socket:
    """The page's socket; raises HttpError."""
    host, port = city.http.host, city.http.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise HttpError(
            f"the page cannot be served on {host} port {port}: {error}; "
            "change http.port in city.yaml, or end what holds the port"
        ) from error


def _url(city: City, listening: socket.socket) -> str:
    """What people type; an address that is nobody's or not answered to has a name stand for it."""
    hosts = city.http.hosts
    unknown = city.http.is_everywhere or city.http.host not in hosts
    host = hosts[0] if hosts and unknown else city.http.host
    shown = f"[{host}]" if ":" in host else host
    scheme = "http" if city.http.tls is None else "https"
    return f"{scheme}://{shown}:{listening.getsockname()[1]}"


def _web_certificate(city: City, clock: Clock) -> WebCertificate | None:
    """The certificate, made or read; None: plain HTTP on loopback. Raises HttpError."""
    if city.http.tls is None:
        return None
    try:
        web = WebCertificate(city, city.http.tls, clock)
        web.open()
    except CaError as error:
        raise HttpError(f"{error} (http.tls in city.yaml)") from error
    return web


def _say_ready(
    url: str, code: str | None, city: City, web: WebCertificate | None, *, ready_json: bool
) -> None:
    sd_notify("READY=1")
    trust_file = None if web is None else web.trust_file
    fingerprints = [] if web is None else web.fingerprints()
    if ready_json:
        body = {
            "ready": True,
            "url": url,
            "sign_in_url": f"{url}{SIGN_IN_PATH}",
            "sign_in_code": code,
            "pid": os.getpid(),
        }
        if trust_file is not None:
            body |= {"ca_file": str(trust_file), "ca_sha256": fingerprints}
        typer.echo(json.dumps(body))
        return
    typer.echo(f"{city.city.name} is served at {url}")
    if trust_file is not None:
        typer.echo(said_of(fingerprints, trust_file))
    if code is not None:
        _say_code(code, as_json=False)


def _say_code(code: str, *, as_json: bool) -> None:
    """A code opens one session; the next one is said when it is used, or at SIGUSR1."""
    typer.echo(json.dumps({"sign_in_code": code}) if as_json else f"One-time sign-in code: {code}")
