"""Several workers of one machine, each started again when it ends."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Sequence
from multiprocessing import connection as processes
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from multiprocessing.queues import SimpleQueue

import redis
from redis.exceptions import RedisError
from rq.serializers import JSONSerializer
from rq.worker_pool import WorkerData, WorkerPool

from app.core import keys
from app.core.command import UNFIT_STATUS
from app.core.fleet import tell_unfit
from app.core.queue import connect
from imaging.frames import Unfit
from imaging.parent import die_with_parent
from workers.runtime import runtime
from workers.worker import MAINTENANCE_SECONDS, WORKER_TTL, PictureWorker

logger = logging.getLogger(__name__)

TELL_SECONDS = 1.0
"""How often a worker that goes on is told to stop."""

RECONNECT_SECONDS = 0.5
"""How often a worker that is to start asks whether Redis is there."""


class PicturePool(WorkerPool):
    """RQ's pool with our workers, named so that an operator sees which machine each is on."""

    def __init__(self, url: str, size: int, queues: Sequence[str]) -> None:
        """
        Args:
            size: workers for pictures, if a queue of pictures is served. A further one, without a
                decoder, serves the maintenance: a long cleanup holds up no picture.
            queues: those to serve, the one that goes first first.
        """
        self._url = url
        self._of_pictures = [name for name in queues if name in keys.PICTURE_QUEUES]
        self._maintains = keys.MAINTENANCE_QUEUE in queues
        self._maintainer = ""
        self._faults: SimpleQueue[str] = get_context("fork").SimpleQueue()
        super().__init__(
            queues,
            connection=connect(url),
            num_workers=(size if self._of_pictures else 0) + self._maintains,
            serializer=JSONSerializer,
        )

    def start_worker(
        self,
        count: int | None = None,
        burst: bool = False,
        _sleep: float = 0,
        logging_level: str = "WARNING",
    ) -> None:
        """Start one more worker, that of the maintenance before all others."""
        name = f"{socket.gethostname()}.{secrets.token_hex(4)}"
        if self._maintains and self._maintainer not in self.worker_dict:
            name = f"{socket.gethostname()}.{keys.MAINTENANCE_QUEUE}.{secrets.token_hex(4)}"
            self._maintainer = name
        process = self.get_worker_process(name, burst)
        process.start()
        assert process.pid is not None
        self.worker_dict[name] = WorkerData(name=name, pid=process.pid, process=process)

    def all_workers_have_stopped(self) -> bool:
        """Wait until they have. RQ itself looks once a second, and waits for each in turn."""
        while self.worker_dict:
            # Told again: one that was just being started has not heard of it.
            self.stop_workers()  # type: ignore[no-untyped-call]
            workers = self.worker_dict.values()
            processes.wait([worker.process.sentinel for worker in workers], TELL_SECONDS)
            self.reap_workers()
        return True

    def reap_workers(self) -> None:
        """Forget the workers that have ended."""
        for worker in list(self.worker_dict.values()):
            if not worker.process.is_alive():
                self.handle_dead_worker(worker)

    def handle_dead_worker(self, worker_data: WorkerData) -> None:
        """Forget a worker that has ended; and stop if it was unfit, as the next would be."""
        super().handle_dead_worker(worker_data)
        if worker_data.process.exitcode == UNFIT_STATUS:
            self.status = self.Status.STOPPED

    @property
    def fault(self) -> str | None:
        """Why the workers cannot convert, once all have stopped; None if they could."""
        return None if self._faults.empty() else self._faults.get()

    def get_worker_process(
        self, name: str, burst: bool, _sleep: float = 0, logging_level: str = "WARNING"
    ) -> BaseProcess:
        """A process for a worker, not started yet."""
        queues = [keys.MAINTENANCE_QUEUE] if name == self._maintainer else self._of_pictures
        # Forked, which is quick and safe here: the pool has no threads and never loads libvips.
        return get_context("fork").Process(
            target=run_worker, args=(name, queues, self._url, os.getpid(), self._faults)
        )


def run_worker(
    name: str, queues: list[str], url: str, parent: int, faults: SimpleQueue[str]
) -> None:
    """Work until told to stop, or until the process `parent` has ended.

    Args:
        faults: where a worker that cannot convert says why, before it ends with `UNFIT_STATUS`.
    """
    # A worker that is forked later than the others has the pool's own handlers.
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, signal.SIG_DFL)
    die_with_parent(parent)
    here = runtime()
    connection = connect(url)
    wait_for_redis(connection, name)
    if queues != [keys.MAINTENANCE_QUEUE]:
        here.sandbox.start()
    try:
        if queues != [keys.MAINTENANCE_QUEUE]:
            here.sandbox.check()
        worker = PictureWorker(
            queues,
            name=name,
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL,
            maintenance_interval=MAINTENANCE_SECONDS,
        )
        worker.log_job_description = False
        worker.work(logging_level="WARNING")
    except Unfit as error:
        faults.put(str(error))
        with contextlib.suppress(RedisError):
            tell_unfit(connection, str(error))
        sys.exit(UNFIT_STATUS)
    except RedisError as error:
        logger.error("worker %s: Redis: %s", name, error)
        sys.exit(1)
    finally:
        here.sandbox.close()


def wait_for_redis(connection: redis.Redis, name: str) -> None:
    """Wait until Redis answers, so that an outage costs no starts of workers and their children."""
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
