"""The start of every `python -m` of this server."""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from app.core.config.load import load_settings
from app.core.config.logs import configure_logging
from app.core.config.settings import Settings
from app.core.config.sources import ConfigError
from app.core.config.storage import open_storage, storage_place
from app.core.errors import StorageError
from app.core.redis.url import is_unchecked
from app.core.storage.interface import Storage
from app.process.parent import follow_parent

logger = logging.getLogger(__name__)

USAGE_STATUS = 2
"""The status to exit with when the arguments or the settings are wrong, as argparse has it."""

UNFIT_STATUS = 3
"""The status of workers that cannot convert, even after a restart."""

START_STATUS = 1
"""The status to exit with when a needed resource is unavailable."""


def start(parser: argparse.ArgumentParser) -> tuple[argparse.Namespace, Settings]:
    """Read arguments and settings, end with the parent if there is one, and log.

    Ends the process with one line if a setting is wrong.
    """
    parser.add_argument("--config", type=Path, help="the configuration file (config.yaml)")
    arguments = parser.parse_args()
    follow_parent()
    try:
        settings = load_settings(arguments.config)
    except ConfigError as error:
        fail(str(error), USAGE_STATUS)
    configure_logging(settings.logs.format)
    if settings.redis.url and is_unchecked(settings.redis.url):
        logger.warning(
            "the certificate of Redis is not checked: the connection is encrypted but "
            "not authenticated"
        )
    return arguments, settings


def redis_url(settings: Settings, role: str) -> str:
    """The URL of Redis. Ends the process with one line if the settings have none."""
    if settings.redis.url is None:
        fail(
            f"{role} alone needs a running Redis: set REDIS_URL, or start everything with "
            "python -m app",
            USAGE_STATUS,
        )
    return settings.redis.url


def check_storage(settings: Settings, redis_url: str | None) -> None:
    """Check that the storage can be written. Ends the process with one line if it cannot.

    Args:
        redis_url: of Redis; None if it is not known yet, and does not hold the objects.
    """
    if redis_url is None and storage_place(settings).in_queue:
        return
    # In a process of its own: obstore's threads, once they run, are missing in processes forked
    # from here, where its calls would hang for ever.
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    child = fork.Process(target=_check, args=(settings, redis_url, theirs))
    child.start()
    theirs.close()
    try:
        reason = ours.recv()
    except EOFError:
        reason = "the storage could not be checked; the lines above say why"
    child.join()
    if reason is not None:
        fail(reason, START_STATUS)


def _check(settings: Settings, redis_url: str | None, answer: Connection) -> None:
    """Send the error of the storage, or None."""
    try:
        asyncio.run(_check_opened(open_storage(settings, redis_url)))
    except StorageError as error:
        answer.send(str(error))
    else:
        answer.send(None)


async def _check_opened(storage: Storage) -> None:
    try:
        await storage.check()
    finally:
        await storage.close()


def fail(message: str, status: int) -> NoReturn:
    """End the process with a line that says why."""
    print(f"tinyimage: {message}", file=sys.stderr)
    sys.exit(status)
