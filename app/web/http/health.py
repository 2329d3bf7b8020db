"""/healthz and /readyz, for process managers and load balancers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import redis
from redis.exceptions import RedisError
from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from app.core.errors import (
    InvalidOption,
    NotReady,
    StorageError,
    StorageFull,
    TinyImageError,
    Where,
)
from app.core.jobs.counted.overview import Workers, picture_workers, why_unfit
from app.core.picture.conversion import parse_flag
from app.core.storage.interface import PROBE, ObjectNotFound, Storage
from app.process.bridge import Bridge
from app.web.docs.operation import SERVER, Operation
from app.web.docs.responses import answer
from app.web.docs.routes import readable
from app.web.docs.schemas.parts import flag, ref
from app.web.errors import error_response
from app.web.http.parameters import in_query
from app.web.service.cached import Cached

logger = logging.getLogger(__name__)

FRESH_SECONDS = 1.0
"""How old an answer may be: probes of several load balancers together ask once a second."""

PATIENCE = 2.0
"""Seconds until a part that does not answer counts as missing."""

WRITE_SECONDS = 30.0
"""How often the storage is written to. Between, reading must do: each write of an object store
costs, and each of a disk is brought to it."""


OK = {"status": "ok"}

HEALTH = Operation(
    name="get_health",
    tag=SERVER,
    summary="Whether the web process answers",
    description="Checks nothing else: a server without Redis is healthy too. Needs no key.",
    answers={"200": answer("It does.", ref("Health"), OK)},
    is_open=True,
)

READY = Operation(
    name="get_readiness",
    tag=SERVER,
    summary="Whether pictures can be converted",
    description="This requires Redis, the storage and a live worker for pictures. Needs no "
    "key; the answer may be a second old.",
    parameters=[
        in_query(
            "details",
            flag("Whether to say more of the workers."),
        )
    ],
    answers={"200": answer("They can.", ref("Readiness"), OK)},
    where=Where.READINESS,
    errors={
        TinyImageError: TinyImageError.example,
        InvalidOption: "details should be true or false (it is 'maybe')",
    },
    is_open=True,
)


class StorageProbe:
    """Writes a small object now and then, and reads it each time. It has a storage and a loop of
    its own: a storage that hangs blocks only the thread that asks it."""

    def __init__(self, open_storage: Callable[[], Storage]) -> None:
        self._open = open_storage
        self._bridge = Bridge()
        self._storage: Storage | None = None
        self._written: float | None = None

    def check(self) -> None:
        """See whether the storage works; in one thread at a time.

        Raises:
            StorageError: if it does not.
        """
        if self._storage is None:
            self._storage = self._open()
        self._bridge.run(self._check(self._storage))

    async def _check(self, storage: Storage) -> None:
        now = time.monotonic()
        if self._written is not None and now - self._written < WRITE_SECONDS:
            try:
                await storage.get(PROBE)
                return
            except ObjectNotFound:  # it lives no longer than other objects
                pass
        self._written = None
        await storage.put(PROBE, b"ok")
        await storage.get(PROBE)
        self._written = now


class Readiness:
    """The other parts that a picture needs: Redis, the storage, and a worker."""

    def __init__(self, connection: redis.Redis, open_storage: Callable[[], Storage]) -> None:
        probe = StorageProbe(open_storage)
        self._workers = Cached(
            lambda: _workers(connection), seconds=FRESH_SECONDS, patience=PATIENCE
        )
        self._storage = Cached(probe.check, seconds=FRESH_SECONDS, patience=PATIENCE)
        self._told: dict[str, str] = {}

    async def details(self) -> dict[str, object]:
        """What is known beside that: the number of live workers, and what computes SSIMULACRA2 in
        their decoders."""
        workers, _ = await self._workers.get()
        return {"workers": workers.live, "look": list(workers.looks)}

    async def missing(self) -> dict[str, str]:
        """The missing parts, and why; {} if there are none. Takes `PATIENCE` seconds at most."""
        redis_and_workers, storage = await asyncio.gather(self._queue_side(), self._storage_side())
        missing = redis_and_workers | storage
        if missing != self._told:
            logger.warning("readiness: %s", missing or "everything is available again")
            self._told = missing
        return missing

    async def _queue_side(self) -> dict[str, str]:
        try:
            _, reason = await self._workers.get()
        except TimeoutError:
            return {"redis": "does not answer"}
        except RedisError as error:
            self._log("redis", error)
            return {"redis": "cannot be reached"}
        return {} if reason is None else {"workers": reason}

    async def _storage_side(self) -> dict[str, str]:
        try:
            await self._storage.get()
        except TimeoutError:
            return {"storage": "does not answer"}
        except ObjectNotFound:
            return {"storage": "does not keep written data"}
        except StorageError as error:
            self._log("storage", error.__cause__ or error)
            return {"storage": "is full" if isinstance(error, StorageFull) else "fails"}
        return {}

    def _log(self, part: str, error: BaseException) -> None:
        """Log the reason, which is not public, when the part goes missing."""
        if part not in self._told:
            logger.error("%s: %s", part, error)


def _workers(connection: redis.Redis) -> tuple[Workers, str | None]:
    """The workers that take pictures; if there are none, second why."""
    workers = picture_workers(connection)
    if workers.live:
        return workers, None
    return workers, why_unfit(connection) or "no worker takes pictures"


def health_blueprint(readiness: Readiness) -> Blueprint:
    """The routes of the probes. They need no key."""
    blueprint = Blueprint("health")

    @readable(blueprint, "/healthz", HEALTH)
    async def health(request: Request) -> HTTPResponse:
        return json(OK)

    @readable(blueprint, "/readyz", READY)
    async def ready(request: Request) -> HTTPResponse:
        detailed = parse_flag("details", request.args.get("details"))
        if missing := await readiness.missing():
            return error_response(request, NotReady(missing))
        return json({**OK, "details": await readiness.details()} if detailed else OK)

    return blueprint
