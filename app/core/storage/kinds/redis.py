"""`redis://`: chunks in a Redis, that of the queue or another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import SplitResult

from pydantic import BeforeValidator

from app.core.errors import StorageError
from app.core.redis.url import check_redis_url, without_check
from app.core.section import Section, Size, blank_is_none
from app.core.storage.kind import Kind, Server
from app.core.storage.redis_storage import RedisStorage


class RedisStorageSettings(Section):
    redis_limit: Annotated[Size | None, BeforeValidator(blank_is_none)] = None
    """Bytes of all objects in Redis, such as `100MB`. By default half of Redis's `maxmemory`, or
    256 MB."""


@dataclass(frozen=True, slots=True)
class RedisPlace:
    url: str | None = None
    """None for that of the queue."""

    folder = None

    @property
    def in_queue(self) -> bool:
        return self.url is None

    def open(self, settings: Section, server: Server) -> RedisStorage:
        assert isinstance(settings, RedisStorageSettings)
        url = self.url or server.redis_url
        if url is None:
            raise StorageError("storage.url: redis:// needs redis.url, which is not set")
        return RedisStorage(
            url if server.verify_certificate else without_check(url),
            max_age_seconds=server.max_age_seconds,
            limit=settings.redis_limit or 0,
        )


def _parse(parts: SplitResult) -> RedisPlace:
    if parts.scheme == "redis" and not parts.netloc and parts.path in ("", "/"):
        return RedisPlace()
    if not parts.hostname:
        raise ValueError("should name a host, or be redis:// for the Redis of redis.url")
    return RedisPlace(check_redis_url(parts.geturl()))


KIND = Kind(
    ("redis", "rediss"),
    "redis://",
    _parse,
    "the Redis of `redis.url`; `redis://USER:PASSWORD@HOST:6379/0` or `rediss://…` names another",
    settings=RedisStorageSettings,
)
