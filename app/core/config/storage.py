"""The storage that the settings name."""

from __future__ import annotations

from app.core.config.settings import Settings
from app.core.storage.address import parse_storage_url
from app.core.storage.interface import Storage
from app.core.storage.kind import Place, Server
from app.core.storage.kinds.file import FilePlace


def storage_place(settings: Settings) -> Place:
    """The place in `storage.url`; without it the folder `server.output_dir`."""
    url = settings.storage.url
    return FilePlace(settings.server.output_dir) if url is None else parse_storage_url(url)


def open_storage(settings: Settings, redis_url: str | None) -> Storage:
    """The storage there.

    Args:
        redis_url: of the Redis of the queue.

    Raises:
        StorageError: if it cannot be opened; its message is one line that says why.
    """
    server = Server(
        redis_url=redis_url,
        verify_certificate=settings.redis.verify_certificate,
        max_age_seconds=settings.upload.max_age_seconds,
    )
    return storage_place(settings).open(settings.storage, server)
