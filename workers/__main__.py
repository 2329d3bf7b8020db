"""`python -m workers`: upload.max_concurrent_tasks workers for pictures, one for the cleanup."""

from __future__ import annotations

import argparse
import sys

from app.core.config.command import USAGE_STATUS, check_storage, fail, redis_url, start
from app.core.jobs import keys
from workers.pool import run_pool


def main() -> None:
    """Run the workers until a signal."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument(
        "--queues",
        help=f"those to serve, highest priority first ({','.join(keys.QUEUES)})",
    )
    arguments, settings = start(parser)
    queues = settings.workers.queues
    if arguments.queues is not None:
        try:
            queues = keys.check_queues([name.strip() for name in arguments.queues.split(",")])
        except ValueError as error:
            fail(f"--queues: {error}", USAGE_STATUS)
    url = redis_url(settings, "the worker process")
    check_storage(settings, url)
    sys.exit(run_pool(settings, url, queues))


if __name__ == "__main__":
    main()
