"""Several workers of one machine, each started again when it ends."""

from __future__ import annotations

import contextlib
import logging
import secrets
import signal
import socket
import sys
import time
from collections.abc import Sequence
from functools import partial
from math import inf
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from types import FrameType

import redis
from redis.exceptions import RedisError
from rq.serializers import JSONSerializer
from setproctitle import getproctitle, setproctitle

from app.core.config.command import UNFIT_STATUS
from app.core.config.settings import Settings
from app.core.jobs import keys
from app.core.jobs.counted.overview import tell_unfit
from app.core.redis.client import connect
from app.process.keeper import RESTART_SECONDS, STOP_SIGNALS, Keeper, Role
from imaging.process.frames import Unfit
from workers.deliveries import DeliveryWorker
from workers.runtime import runtime
from workers.scheduler import scheduling
from workers.settings import process_settings
from workers.worker import (
    MAINTENANCE_SECONDS,
    PUT_BACK_SECONDS,
    STOP_SECONDS,
    WORKER_TTL,
    PictureWorker,
)

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2

RECONNECT_SECONDS = 0.5
"""How often a starting worker checks for Redis."""


class Crew:
    """The workers of one machine as roles of a keeper: those for pictures; and, without a decoder,
    one for the maintenance and one for webhooks, so that neither a long cleanup nor a recipient
    that hangs delays pictures."""

    def __init__(
        self,
        settings: Settings,
        url: str,
        queues: Sequence[str],
        *,
        schedules: bool = False,
    ) -> None:
        """
        Args:
            url: where Redis is.
            queues: those to serve, highest priority first.
            schedules: whether the worker of the maintenance enqueues the cleanup, too.
        """
        self._settings = settings
        self._url = url
        self._schedules = schedules
        self._faults, self._fault_of_worker = Pipe(duplex=False)
        of_pictures = [name for name in queues if name in keys.PICTURE_QUEUES]
        served = [of_pictures] * (settings.upload.max_concurrent_tasks if of_pictures else 0)
        if keys.MAINTENANCE_QUEUE in queues:
            served = [[keys.MAINTENANCE_QUEUE], *served]
        if keys.WEBHOOKS_QUEUE in keys.in_use(queues, webhooks=settings.webhooks.enabled):
            served = [*served, [keys.WEBHOOKS_QUEUE]]
        self.roles = [Role("worker", "workers", partial(self._work, names)) for names in served]
        self.inherit = (self._fault_of_worker.fileno(),)
        """The descriptors that they keep."""

    def fault(self) -> str | None:
        """Why a worker that has ended cannot convert; None if there is none that has not been
        asked for."""
        fault: str | None = None
        while self._faults.poll():
            fault = self._faults.recv()
        return fault

    def _work(self, queues: list[str]) -> int:
        # So that an operator sees which machine it is on, and in `ps` which of its processes it is.
        kind = f"{queues[0]}." if queues[0] not in keys.PICTURE_QUEUES else ""
        name = f"{socket.gethostname()}.{kind}{secrets.token_hex(4)}"
        setproctitle(f"{getproctitle()}: {name}")
        schedules = self._schedules and queues[0] == keys.MAINTENANCE_QUEUE
        return run_worker(
            name,
            queues,
            self._url,
            self._fault_of_worker,
            cleanup_interval=self._settings.cleanup.interval if schedules else None,
        )


class Pool:
    """Keeps a crew running."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._keeper = Keeper(
            crew.roles,
            inherit=crew.inherit,
            pause=lambda status: inf if status == UNFIT_STATUS else RESTART_SECONDS,
        )
        self._stopping = False

    def run(self) -> str | None:
        """Run until SIGINT or SIGTERM, or until a worker is unfit, as the next would be.

        Returns:
            why the workers cannot convert; None if they could.
        """
        for sig in STOP_SIGNALS:
            signal.signal(sig, self._request_stop)
        process_settings()  # read once, for all workers
        self._keeper.start()
        while not self._stopping and not self._unfit:
            self._keeper.restart_ended()
            time.sleep(POLL_SECONDS)
        self._keeper.stop(STOP_SECONDS + 2 * PUT_BACK_SECONDS)
        return self._crew.fault()

    @property
    def _unfit(self) -> bool:
        return any(role.status == UNFIT_STATUS for role in self._keeper.roles)

    def _request_stop(self, signum: int, frame: FrameType | None) -> None:
        self._stopping = True


def run_pool(settings: Settings, url: str, queues: Sequence[str]) -> int:
    """Run the workers of these settings until a signal. Returns the status to exit with.

    Args:
        url: where Redis is.
        queues: those to serve, highest priority first.
    """
    fault = Pool(Crew(settings, url, queues)).run()
    if fault is None:
        return 0
    tell(fault)
    return UNFIT_STATUS


def tell(fault: str) -> None:
    """Say why workers cannot convert."""
    print(f"tinyimage: {fault}", file=sys.stderr)


def run_worker(
    name: str,
    queues: list[str],
    url: str,
    faults: Connection,
    *,
    cleanup_interval: int | None,
) -> int:
    """Work until told to stop. Returns the status to exit with.

    Args:
        faults: receives the reason of a worker that cannot convert, before it ends with
            `UNFIT_STATUS`.
        cleanup_interval: seconds after which this worker enqueues the next cleanup; None if it
            enqueues none.
    """
    here = runtime()
    connection = connect(url)
    wait_for_redis(connection, name)
    try:
        if queues[0] in keys.PICTURE_QUEUES:
            here.sandbox.start()
            here.sandbox.check()
        kind = DeliveryWorker if queues == [keys.WEBHOOKS_QUEUE] else PictureWorker
        worker = kind(
            queues,
            name=name,
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL,
            maintenance_interval=MAINTENANCE_SECONDS,
        )
        worker.log_job_description = False
        with (
            contextlib.nullcontext()
            if cleanup_interval is None
            else scheduling(connection, cleanup_interval)
        ):
            worker.work(logging_level="WARNING")
    except Unfit as error:
        faults.send(str(error))
        with contextlib.suppress(RedisError):
            tell_unfit(connection, str(error))
        return UNFIT_STATUS
    except RedisError as error:
        logger.error("worker %s: Redis: %s", name, error)
        return 1
    finally:
        here.close()
    return 0


def wait_for_redis(connection: redis.Redis, name: str) -> None:
    """Wait until Redis answers, so that an outage does not restart workers and decoders again and
    again."""
    told = False
    while True:
        try:
            connection.ping()
            return
        except RedisError as error:
            if not told:
                logger.error("worker %s: waits for Redis: %s", name, error)
                told = True
            time.sleep(RECONNECT_SECONDS)
