"""The web process, wired."""

from __future__ import annotations

import resource
import socket
from typing import Any

from sanic import Sanic

from app.core.config.logs import configure_logging
from app.core.config.settings import Settings
from app.core.config.storage import open_storage
from app.core.jobs.events import Events
from app.core.jobs.queue.async_queue import AsyncPictureQueue
from app.core.redis.client import FailFastRedis, connect
from app.intake.intake import Intake
from app.web.docs.page import docs_blueprint
from app.web.docs.schema import build_schema
from app.web.errors import JSONErrorHandler
from app.web.guard.auth import ApiKeys
from app.web.guard.headers import Cors
from app.web.guard.rate import RateLimit
from app.web.guard.requests import Guard
from app.web.guard.sockets import Sockets
from app.web.http.api import http_blueprint
from app.web.http.body import FORM_OVERHEAD
from app.web.http.health import Readiness, health_blueprint
from app.web.metrics.endpoint import Metrics, metrics_blueprint
from app.web.metrics.instruments import Instruments, Share, SharedFolder
from app.web.page.page import Page
from app.web.serve.framing import FramedRequest
from app.web.serve.handlers import leave_unparsed
from app.web.serve.processes import Processes, listen
from app.web.serve.protocol import Incoming, Protocol
from app.web.serve.signals import stop_once
from app.web.service.batches import Batches
from app.web.service.conversions import Conversions
from app.web.service.fetches import Fetches
from app.web.service.links import Links
from app.web.service.services import Services
from app.web.service.sources import Sources
from app.web.tinify import errors as tinify_words
from app.web.tinify.api import tinify_blueprint
from app.web.ws.live import live_blueprint
from app.web.ws.messages import max_message_size
from imaging.process.memory import settle_memory

APP_NAME = "tinyimage"

App = Sanic[Any, Any]

RESPONSE_SECONDS = 300
"""How long a request may stall, without receiving or sending."""

KEEP_ALIVE_SECONDS = 75
"""How long a connection may be silent between two requests, or before the first."""

MAX_FILES = 65_536

STOP_SECONDS = 3.0
"""How long open requests may still take when the server stops."""

PING_SECONDS = 20
"""Between two pings of a socket: platforms close one that is silent for 55 s."""


def create_app(settings: Settings, url: str, share: Share | None = None) -> App:
    """The Sanic application, with everything it needs.

    Args:
        url: where Redis is.
        share: where one of several processes keeps its counts.
    """
    leave_unparsed()
    app: App = Sanic(
        APP_NAME,
        error_handler=JSONErrorHandler(tinify_words),
        configure_logging=False,
        request_class=FramedRequest,
    )
    app.config.ACCESS_LOG = False
    app.config.AUTO_EXTEND = False  # where sanic-ext is installed, it brings CORS of its own
    app.config.FALLBACK_ERROR_FORMAT = "json"
    app.config.REQUEST_MAX_SIZE = settings.upload.max_upload_size + FORM_OVERHEAD
    app.config.REQUEST_TIMEOUT = settings.limits.request_timeout
    app.config.RESPONSE_TIMEOUT = max(RESPONSE_SECONDS, settings.limits.upload_timeout + 30)
    app.config.KEEP_ALIVE_TIMEOUT = KEEP_ALIVE_SECONDS
    app.config.PROXIES_COUNT = settings.server.proxies_count or None
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = STOP_SECONDS
    app.config.WEBSOCKET_MAX_SIZE = max_message_size(settings.upload.max_upload_size)
    app.config.WEBSOCKET_PING_INTERVAL = PING_SECONDS
    app.config.WEBSOCKET_PING_TIMEOUT = PING_SECONDS

    app.ctx.incoming = Incoming(settings.limits.socket_memory)
    app.ctx.instruments = instruments = Instruments(share)
    app.ctx.message_seconds = settings.limits.upload_timeout

    rate = RateLimit(settings.limits.rate, url)
    guard = Guard(
        ApiKeys(settings.auth.api_keys),
        Cors(settings.cors.origins),
        rate,
        Sockets(settings.limits.sockets, settings.limits.sockets_per_address),
    )
    guard.install(app)
    connection = connect(url)
    asked = FailFastRedis(url)
    events = Events(url)
    storage = open_storage(settings, url)
    queue = AsyncPictureQueue(
        asked,
        max_age_seconds=settings.upload.max_age_seconds,
        conversion_timeout=settings.limits.conversion_timeout,
        max_waiting=settings.limits.max_queue,
        downloads=settings.downloads,
        webhooks=settings.webhooks.enabled,
    )
    conversions = Conversions(queue, storage, events)
    fetches = Fetches(
        asked,
        events,
        enabled=settings.fetch.enabled,
        seconds=settings.fetch.timeout,
        max_waiting=settings.limits.max_queue,
    )
    services = Services(
        settings=settings,
        redis=asked,
        guard=guard,
        intake=Intake(conversions, settings),
        conversions=conversions,
        links=Links(asked, conversions, settings),
        batches=Batches(asked, queue, conversions.following),
        sources=Sources(asked, storage, fetches, settings.upload.max_age_seconds),
    )
    page = Page(keys_required=bool(settings.auth.api_keys))
    app.blueprint(
        [
            http_blueprint(services, page.show),
            guard.open(page.blueprint()),
            live_blueprint(services),
            tinify_blueprint(services),
            health_blueprint(Readiness(connection, lambda: open_storage(settings, url))),
            metrics_blueprint(Metrics(instruments, connection)),
        ]
    )
    # Last: the schema has the routes that are there.
    schema = build_schema(app, keys_required=bool(settings.auth.api_keys))
    app.blueprint(guard.open(docs_blueprint(schema)))

    @app.before_server_start
    async def start(app: App) -> None:
        configure_logging(settings.logs.format)
        stop_once(app)
        _raise_file_limit()
        await events.start()
        settle_memory()

    @app.before_server_stop
    async def stop_waiting(app: App) -> None:
        conversions.following.stop()

    @app.after_server_stop
    async def stop(app: App) -> None:
        # Also those without clients by now: their jobs need the connection.
        await conversions.finish()
        await storage.close()
        await events.stop()
        await rate.close()
        await asked.close()
        connection.close()

    return app


def run_web(settings: Settings, url: str) -> None:
    """Serve until a signal.

    Args:
        url: where Redis is.
    """
    server = settings.server
    if server.processes == 1:
        _serve(settings, url, None)
        return
    sock = listen(server.host, server.port)
    folder = SharedFolder()

    def serve(number: int) -> None:
        try:
            _serve(settings, url, sock, folder.share(number))
        finally:
            folder.close_if_orphaned()

    try:
        Processes(server.processes, sock, serve, folder.forget).run(2 * STOP_SECONDS)
    finally:
        folder.close()


def _serve(
    settings: Settings, url: str, sock: socket.socket | None, share: Share | None = None
) -> None:
    """Serve in this process.

    Args:
        sock: listens already; None makes one.
        share: where it keeps its counts if it is one of several.
    """
    app = create_app(settings, url, share)
    app.prepare(
        host=None if sock else settings.server.host,
        port=None if sock else settings.server.port,
        sock=sock,
        single_process=True,
        # Sanic's own handler stops the loop each time: a second signal would cut the clean-up off.
        register_sys_signals=False,
        motd=False,
        access_log=False,
        protocol=Protocol,
    )
    Sanic.serve_single(app)


def _raise_file_limit() -> None:
    """Raise the limit on open files to the system's maximum: each connection takes one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or soft < hard:
        wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
