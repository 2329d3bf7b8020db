"""What a container of the image may be started as."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class Role(StrEnum):
    """The argument that the image is started with."""

    ALL = "all"  # everything in one
    WEB = "web"  # the HTTP and WebSocket server
    WORKER = "worker"  # upload.max_concurrent_tasks workers
    SCHEDULER = "scheduler"  # the cleanup at its interval


MODULES = {
    Role.ALL: ("app", "all"),
    Role.WEB: ("app", "web"),
    Role.WORKER: ("workers",),
    Role.SCHEDULER: ("workers.scheduler",),
}
"""What `python -m` is given for each."""


def role_of(arguments: Sequence[str]) -> Role | None:
    """The role that a command line starts, however it is written; None if it is another command."""
    match list(arguments):
        case []:
            return Role.ALL
        case [name, *_] if name in list(Role):
            return Role(name)
        case [_, "-m", "app", "web", *_]:
            return Role.WEB
        case [_, "-m", "app", *_]:
            return Role.ALL
        case [_, "-m", "workers", *_]:
            return Role.WORKER
        case [_, "-m", "workers.scheduler", *_]:
            return Role.SCHEDULER
        case _:
            return None
