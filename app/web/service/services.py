"""What the handlers of a server process share."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.config.settings import Settings
from app.core.redis.client import FailFastRedis
from app.intake.intake import Intake
from app.web.guard.requests import Guard
from app.web.service.batches import Batches
from app.web.service.conversions import Conversions
from app.web.service.links import Links
from app.web.service.sources import Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Made once for each server process, by `create_app`."""

    settings: Settings
    redis: FailFastRedis
    guard: Guard
    intake: Intake
    conversions: Conversions
    links: Links
    batches: Batches
    sources: Sources
