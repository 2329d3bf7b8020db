"""The signals that stop a server."""

from __future__ import annotations

import asyncio
import signal
from types import FrameType
from typing import Any

from sanic import Sanic
from sanic.server import runners

from app.process.keeper import STOP_SIGNALS

START_POLL_SECONDS = 0.05


def stop_once(app: Sanic[Any, Any]) -> None:
    """Have the first SIGINT or SIGTERM stop the server, and all others do nothing.

    To be called in its event loop, before it serves.
    """
    loop = asyncio.get_running_loop()
    stopping = False

    def stop_app() -> None:
        # It answers before its start is complete, and a stop in between would be lost.
        if app.state.is_running:
            app.stop(terminate=False)
        else:
            loop.call_later(START_POLL_SECONDS, stop_app)

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            loop.call_soon_threadsafe(stop_app)

    # Not the loop's own handlers: Sanic takes those away as it begins to stop.
    for sig in STOP_SIGNALS:
        signal.signal(sig, stop)
    # Sanic would ignore both from the moment that it listens to the end of its start, in which it
    # answers already: a stop at that moment would be waited for in vain.
    vars(runners)["signal_func"] = _leave_as_is


def _leave_as_is(signum: int, handler: Any) -> None:
    """In place of `signal.signal`."""
