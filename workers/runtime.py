"""The shared resources of the jobs of one worker process: settings, storage, the decoder."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import cache
from threading import Event
from typing import Any, TypeVar

from app.core.config.settings import Settings
from app.core.config.storage import open_storage
from app.core.storage.interface import Expiring, Storage, Threaded
from app.process.bridge import Bridge
from workers.decoder.process import DecoderLimits
from workers.decoder.sandbox import Sandbox
from workers.settings import process_settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Runtime:
    """Made once in each process, when its first job or its worker needs it."""

    settings: Settings
    storage: Storage
    sandbox: Sandbox
    stopping: Event = field(default_factory=Event)
    """Set once the worker is told to stop."""
    bridge: Bridge = field(default_factory=Bridge)
    """To the storage, which is asynchronous."""
    expiring: Expiring | None = None
    """The same storage, if it can let an object expire; asked once, as that takes Python 25 µs."""
    at_once: bool = False
    """Whether the storage's `get` and `put` need no turn of the bridge's loop."""

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """The result of an asynchronous call, such as one of the storage; as `Bridge.run`."""
        return self.bridge.run(call)

    def transfer(self, call: Coroutine[Any, Any, T]) -> T:
        """The result of a `get` or a `put` of the storage, which each picture needs."""
        return self.bridge.run_at_once(call) if self.at_once else self.bridge.run(call)

    def close(self) -> None:
        """End the decoder, and close the storage."""
        self.sandbox.close()
        self.run(self.storage.close())
        self.bridge.close()


@cache
def runtime() -> Runtime:
    """The runtime of this process. A job function gets only names and options, in any
    worker of the queue, so it finds the rest here."""
    settings = process_settings()
    storage = open_storage(settings, settings.redis.url)
    return Runtime(
        settings,
        storage,
        Sandbox(
            settings.limits.conversion_timeout,
            DecoderLimits(
                settings.limits.decoder_memory,
                settings.limits.decoder_pictures,
                settings.limits.decoder_growth,
            ),
        ),
        expiring=storage if isinstance(storage, Expiring) else None,
        at_once=isinstance(storage, Threaded),
    )
