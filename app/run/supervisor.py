"""Everything in one: a Redis, the web and the workers as processes of one parent."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import time
from types import FrameType
from typing import cast

import redis

from app.core.config.command import START_STATUS, UNFIT_STATUS, fail
from app.core.config.settings import Settings
from app.core.jobs import keys
from app.core.redis.client import connect
from app.process.keeper import RESTART_SECONDS, STOPPED, Keeper, Role, Stop
from app.run.embedded import EmbeddedRedis, EmbeddedRedisError
from app.run.readiness import wait_until_ready
from imaging.process.memory import settle_memory
from workers.pool import Crew, tell
from workers.scheduler import run_scheduler
from workers.settings import process_settings

logger = logging.getLogger(__name__)

STOP_SECONDS = 8.0
"""How long web and workers may take to end; with Redis after them all is over in 10."""

REDIS_STOP_SECONDS = 1.5
READY_SECONDS = 60.0
POLL_SECONDS = 0.1

SYNC_SECONDS = 1.0
"""Seconds of work that a loss of power may lose."""

UNFIT_SECONDS = 30.0
"""The same for workers that cannot convert, and will fail again."""


class StartError(Exception):
    """The server cannot start. The message is one line that says why."""


class Supervisor:
    """Starts all processes, restarts ended ones, and stops all on request."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._embedded = EmbeddedRedis(settings.redis.data_dir) if not settings.redis.url else None
        self._url = settings.redis.url or cast(EmbeddedRedis, self._embedded).url
        queues = settings.workers.queues
        # A process of its own for the scheduler would take 8 MB.
        schedules = keys.MAINTENANCE_QUEUE in queues
        self._crew = Crew(settings, self._url, queues, schedules=schedules)
        roles = [Role("web", "app web", self._web), *self._crew.roles]
        if not schedules:
            roles.append(Role("scheduler", "workers.scheduler", self._scheduler))
        self._keeper = Keeper(
            roles,
            inherit=self._crew.inherit,
            own_groups=True,
            pause=lambda status: UNFIT_SECONDS if status == UNFIT_STATUS else RESTART_SECONDS,
        )
        self._told = float("-inf")
        self._began = 0.0
        self._stopping = False
        self._redis_stop = Stop()
        self._was_ready = False
        self._synced = 0.0

    @property
    def address(self) -> str:
        """The address of the web from this machine."""
        host = self._settings.server.host
        if host in ("0.0.0.0", "::", ""):  # noqa: S104
            host = "localhost"
        return f"http://{f'[{host}]' if ':' in host else host}:{self._settings.server.port}"

    def run(self) -> None:
        """Run until SIGINT or SIGTERM.

        Raises:
            StartError: if the port, the data folder or Redis is unavailable, or a process cannot
                start.
        """
        for sig in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sig, self._request_stop)
        check_port(self._settings.server.host, self._settings.server.port)
        try:
            self._start_redis()
            # For what reads the settings anew, as a worker does for its jobs.
            os.environ["TINYIMAGE_REDIS__URL"] = self._url
            process_settings()  # read once, for all processes
            self._began = time.time()
            self._keeper.start()
            if self._wait_until_ready():
                logger.info("TinyImage Server is ready at %s", self.address)
                self._was_ready = True
            while not self._stopping:
                self._restart_redis()
                self._tell_unfit()
                self._keeper.restart_ended()
                self._sync_redis()
                time.sleep(POLL_SECONDS)
        finally:
            self._stop()

    def _request_stop(self, signum: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _start_redis(self) -> None:
        if self._embedded is not None:
            try:
                self._embedded.lock()
                self._embedded.start()
            except EmbeddedRedisError as error:
                raise StartError(str(error)) from None
            return
        try:
            with contextlib.closing(connect(self._url)) as connection:
                connection.ping()
        except (redis.RedisError, ValueError) as error:
            raise StartError(f"Redis cannot be reached: {error}") from None

    def _web(self) -> None:
        from app.web.server import run_web  # not before: nobody else needs what it brings

        settle_memory()
        run_web(self._settings, self._url)

    def _scheduler(self) -> int:
        return run_scheduler(self._settings, self._url)

    def _tell_unfit(self) -> None:
        """Say why workers cannot convert: once, though all of them end with it."""
        fault = self._crew.fault()
        if fault is not None and time.monotonic() - self._told > UNFIT_SECONDS / 2:
            self._told = time.monotonic()
            tell(fault)

    def _wait_until_ready(self) -> bool:
        """Wait for the web and all workers; False if a stop was requested meanwhile."""
        # In a process of its own: what asking takes, 4 MB, goes with it.
        waiting = Role("readiness", "app.run.readiness", self._ask)
        process = self._keeper.start_one(waiting)
        try:
            while not self._stopping:
                for role in self._keeper.roles:
                    if role.status is not None and role.status not in STOPPED:
                        self._tell_unfit()
                        raise StartError(
                            f"the {role.name} process could not start; its last lines above say why"
                        )
                self._keeper.restart_ended()
                if process.exitcode == 0:
                    return True
                if process.exitcode == START_STATUS:
                    raise StartError(f"the processes were not ready within {READY_SECONDS:.0f} s")
                if process.exitcode is not None:
                    process = self._keeper.start_one(waiting)
                time.sleep(POLL_SECONDS)
        finally:
            process.kill()
        return False

    def _ask(self) -> int:
        """Wait in a process of its own. Returns the status to exit with."""
        ready = wait_until_ready(self._settings, self._url, self._began, READY_SECONDS)
        return 0 if ready else START_STATUS

    def _restart_redis(self) -> None:
        if self._embedded is None or self._embedded.process is None:
            return
        status = self._embedded.process.poll()
        if status is not None and not self._redis_stop.lasts(status):
            logger.error("redis-server ended with status %d; starting it again", status)
            self._redis_stop = Stop()
            try:
                self._embedded.start()
            except EmbeddedRedisError as error:
                logger.error("%s", error)
                time.sleep(RESTART_SECONDS)

    def _sync_redis(self) -> None:
        if self._embedded is None or time.monotonic() - self._synced < SYNC_SECONDS:
            return
        try:
            self._embedded.sync()
        except OSError as error:
            logger.error("the data of Redis cannot be synced to disk: %s", error)
        self._synced = time.monotonic()

    def _stop(self) -> None:
        """End web and workers, which finish their current work; then Redis."""
        self._keeper.stop(STOP_SECONDS)
        if self._embedded is not None:
            self._embedded.stop(REDIS_STOP_SECONDS)
        if self._was_ready:
            logger.info("TinyImage Server has stopped")


def check_port(host: str, port: int) -> None:
    """Check that the port is free.

    Raises:
        StartError: if not.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartError(f"cannot listen on port {port} of {host}: {error.strerror}") from None


def run_all(settings: Settings) -> None:
    """Run everything until a signal. Ends the process with one line if it cannot start."""
    try:
        Supervisor(settings).run()
    except StartError as error:
        fail(str(error), START_STATUS)
