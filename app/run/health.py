"""`python -m app.run.health ROLE`: whether the role works here; `entrypoint.sh health` calls it.

Exits with 0 if it works, otherwise with 1 and a line with the reason.
"""

from __future__ import annotations

import argparse
import socket
import sys
import time
from collections.abc import Callable

from redis.exceptions import RedisError

from app.core.config.load import load_settings
from app.core.config.settings import Settings
from app.core.config.sources import ConfigError
from app.run.probe import ask_web

OVERDUE_SECONDS = 60
"""How late the cleanup may be."""


class Unhealthy(Exception):
    """The role does not work. The message has the reason."""


def check_web(settings: Settings) -> None:
    """The web answers here.

    Raises:
        Unhealthy: if not.
    """
    try:
        ask_web(settings.server)
    except OSError as error:
        raise Unhealthy(f"the web does not answer: {error}") from None


def check_worker(settings: Settings) -> None:
    """Redis lists workers of this machine for each queue that they serve; a hanging worker is no
    longer listed.

    Raises:
        Unhealthy: if one is missing.
    """
    from rq import Worker

    from app.core.redis.client import connect

    host = socket.gethostname()
    workers = Worker.all(connection=connect(_redis_url(settings)))
    here = [worker for worker in workers if worker.hostname == host]
    served = {name for worker in here for name in worker.queue_names()}
    if missing := [name for name in settings.served_queues if name not in served]:
        raise Unhealthy(f"Redis lists no worker on {host} for {', '.join(missing)}")


def check_scheduler(settings: Settings) -> None:
    """The cleanup is planned, and not overdue.

    Raises:
        Unhealthy: if it is not.
    """
    from rq_scheduler import Scheduler

    from app.core.jobs.keys import CLEANUP_JOB_ID
    from app.core.redis.client import connect

    redis = connect(_redis_url(settings))
    due = redis.zscore(Scheduler.scheduled_jobs_key, CLEANUP_JOB_ID)
    if due is None:
        raise Unhealthy("no cleanup is planned")
    if due < time.time() - OVERDUE_SECONDS:
        raise Unhealthy(f"the cleanup is overdue by {time.time() - due:.0f} s")


CHECKS: dict[str, Callable[[Settings], None]] = {
    "all": check_web,  # which has the others started again when they end
    "web": check_web,
    "worker": check_worker,
    "scheduler": check_scheduler,
}
"""By role."""


def main() -> int:
    """Check. Returns the status to exit with: Docker keeps all but 0 and 1 for itself."""
    parser = argparse.ArgumentParser(prog="python -m app.run.health", description=__doc__)
    parser.add_argument("role", choices=CHECKS)
    role = parser.parse_args().role
    try:
        CHECKS[role](load_settings())
    except (Unhealthy, ConfigError, RedisError) as error:
        print(f"tinyimage: {error}", file=sys.stderr)
        return 1
    return 0


def _redis_url(settings: Settings) -> str:
    if settings.redis.url is None:
        raise Unhealthy("there is no address of a Redis")
    return settings.redis.url


if __name__ == "__main__":
    sys.exit(main())
