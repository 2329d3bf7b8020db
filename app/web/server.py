"""The web process, wired."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from sanic import Sanic
from sanic.worker.loader import AppLoader

from app.core.conversions import Conversions
from app.core.events import Events
from app.core.lifeline import die_with_parent
from app.core.logs import configure_logging
from app.core.queue import PictureQueue, connect
from app.core.settings import Settings
from app.core.storage import Storage
from app.web.errors import JSONErrorHandler
from app.web.http import http_blueprint
from app.web.live import live_blueprint, max_message_size
from app.web.upload import FORM_OVERHEAD

APP_NAME = "tinyimage"

App = Sanic[Any, Any]

REQUEST_SECONDS = 300
"""How long an upload or a download may take."""

STOP_SECONDS = 3.0
"""How long open requests may still take when the server stops."""

PING_SECONDS = 20
"""Between two pings of a socket: platforms close one that is silent for 55 s."""


def create_app(settings: Settings, url: str) -> App:
    """The Sanic application, with everything it needs.

    Args:
        url: where Redis is.
    """
    app: App = Sanic(APP_NAME, error_handler=JSONErrorHandler(), configure_logging=False)
    app.config.ACCESS_LOG = False
    app.config.FALLBACK_ERROR_FORMAT = "json"
    app.config.REQUEST_MAX_SIZE = settings.upload.max_upload_size + FORM_OVERHEAD
    app.config.REQUEST_TIMEOUT = 60
    app.config.RESPONSE_TIMEOUT = REQUEST_SECONDS
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = STOP_SECONDS
    app.config.WEBSOCKET_MAX_SIZE = max_message_size(settings.upload.max_upload_size)
    app.config.WEBSOCKET_PING_INTERVAL = PING_SECONDS
    app.config.WEBSOCKET_PING_TIMEOUT = PING_SECONDS

    connection = connect(url)
    events = Events(url)
    conversions = Conversions(
        PictureQueue(
            connection,
            max_age_seconds=settings.upload.max_age_seconds,
            conversion_timeout=settings.limits.conversion_timeout,
        ),
        Storage.local(settings.server.output_dir),
        events,
    )
    app.blueprint(http_blueprint(settings, conversions))
    app.blueprint(live_blueprint(settings, conversions))

    @app.before_server_start
    async def start(app: App) -> None:
        configure_logging()
        await events.start()

    @app.after_server_stop
    async def stop(app: App) -> None:
        # Also those whose clients are gone by now: what they enqueue needs the connection.
        await conversions.finish()
        await events.stop()
        connection.close()

    return app


def run_web(settings: Settings, url: str) -> None:
    """Serve until a signal.

    Args:
        url: where Redis is.
    """
    single = settings.server.processes == 1
    loader = AppLoader(factory=partial(_create_app_in_child, settings, url, os.getpid()))
    app = create_app(settings, url) if single else loader.load()
    app.prepare(
        host=settings.server.host,
        port=settings.server.port,
        workers=settings.server.processes,
        single_process=single,
        motd=False,
        access_log=False,
    )
    if single:
        Sanic.serve_single(app)
    else:
        Sanic.serve(primary=app, app_loader=loader)


def _create_app_in_child(settings: Settings, url: str, parent: int) -> App:
    """The application in one of several processes, which end with the one that started them."""
    if os.getpid() != parent:
        die_with_parent(parent)
    return create_app(settings, url)
