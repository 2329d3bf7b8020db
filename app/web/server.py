"""The web process, wired."""

from __future__ import annotations

import asyncio
import signal
import socket
from functools import partial
from types import FrameType
from typing import Any

from sanic import Sanic

from app.core.conversions import Conversions
from app.core.events import Events
from app.core.logs import configure_logging
from app.core.queue import PictureQueue, connect
from app.core.settings import Settings
from app.core.storage import Storage
from app.web.errors import JSONErrorHandler
from app.web.http import http_blueprint
from app.web.live import live_blueprint, max_message_size
from app.web.processes import Processes, listen
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
        configure_logging(settings.logs.format)
        await events.start()

    @app.after_server_start
    async def listen_for_signals(app: App) -> None:
        _stop_once(app)

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
    server = settings.server
    if server.processes == 1:
        _serve(settings, url, None)
        return
    sock = listen(server.host, server.port)
    processes = Processes(server.processes, sock, partial(_serve, settings, url, sock))
    processes.run(2 * STOP_SECONDS)


def _serve(settings: Settings, url: str, sock: socket.socket | None) -> None:
    """Serve in this process.

    Args:
        sock: listens already; None makes one.
    """
    app = create_app(settings, url)
    app.prepare(
        host=None if sock else settings.server.host,
        port=None if sock else settings.server.port,
        sock=sock,
        single_process=True,
        # Sanic's own handler stops the loop each time: a second signal would cut the clean-up off.
        register_sys_signals=False,
        motd=False,
        access_log=False,
    )
    Sanic.serve_single(app)


def _stop_once(app: App) -> None:
    """Have the first SIGINT or SIGTERM stop the server, and all others do nothing."""
    loop = asyncio.get_running_loop()
    stopping = False

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            loop.call_soon_threadsafe(partial(app.stop, terminate=False))

    # Not the loop's own handlers: Sanic takes those away as it begins to stop.
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, stop)
