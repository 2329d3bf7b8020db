"""When everything in one is ready."""

from __future__ import annotations

import contextlib
import time

import redis
from rq.worker import Worker

from app.core.config.settings import Settings
from app.core.redis.client import connect
from app.run.probe import ask_web

POLL_SECONDS = 0.1


def wait_until_ready(settings: Settings, url: str, began: float, seconds: float) -> bool:
    """Wait for the web and all workers. Returns whether they came.

    Args:
        url: where Redis is.
        began: the time since when the workers have been started; others do not count.
        seconds: how long to wait at most.
    """
    deadline = time.monotonic() + seconds
    with contextlib.closing(connect(url)) as connection:
        while time.monotonic() < deadline:
            with contextlib.suppress(redis.RedisError):
                here = _workers_since(connection, began)
                if here >= settings.worker_count and _web_answers(settings):
                    return True
            time.sleep(POLL_SECONDS)
    return False


def _web_answers(settings: Settings) -> bool:
    try:
        ask_web(settings.server)
    except OSError:
        return False
    return True


def _workers_since(connection: redis.Redis, began: float) -> int:
    workers = Worker.all(connection=connection)
    return sum(w.birth_date is not None and w.birth_date.timestamp() >= began for w in workers)
