"""What the jobs of one worker process share: settings, storage, the warm decoder."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from threading import Event

from app.core.config.settings import Settings, load_settings
from app.core.storage import Storage
from app.core.storage.opener import open_storage
from workers.decoder.process import DecoderLimits
from workers.decoder.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Runtime:
    """Made once in each process, when its first job or its worker asks for it."""

    settings: Settings
    storage: Storage
    sandbox: Sandbox
    stopping: Event = field(default_factory=Event)
    """Set once the worker is told to stop."""


process_settings = cache(load_settings)
"""The settings of this process, and of those that are forked from it."""


@cache
def runtime() -> Runtime:
    """The runtime of this process. A job function gets nothing but names and options, from any
    worker that is pointed at the queue, so it finds the rest here."""
    settings = process_settings()
    return Runtime(
        settings,
        open_storage(settings, settings.redis.url),
        Sandbox(
            settings.limits.conversion_timeout,
            DecoderLimits(
                settings.limits.child_memory,
                settings.limits.child_pictures,
                settings.limits.child_growth,
            ),
        ),
    )
