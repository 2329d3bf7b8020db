"""/shrink /output /keys"""

from __future__ import annotations

from sanic import Blueprint

from app.core.config.settings import Settings
from app.core.intake.intake import Intake
from app.core.redis.client import FailFastRedis
from app.web.guard.requests import Guard
from app.web.service.conversions import Conversions
from app.web.service.sources import Sources
from app.web.service.spooling import Spooling
from app.web.tinify.accounts import Accounts
from app.web.tinify.deliver import Deliveries
from app.web.tinify.desk import Desk
from app.web.tinify.keys import add_keys
from app.web.tinify.output import add_output
from app.web.tinify.shrink import add_shrink
from app.web.tinify.work import Work


def tinify_blueprint(
    settings: Settings,
    *,
    intake: Intake,
    conversions: Conversions,
    sources: Sources,
    guard: Guard,
    redis: FailFastRedis,
) -> Blueprint:
    """The routes of the Tinify API. Each asks for the key itself, in the way of this API, or not at
    all."""
    blueprint = Blueprint("tinify")
    desk = Desk(
        accounts=Accounts(guard, redis, settings.limits.compressions),
        conversions=conversions,
        deliveries=Deliveries(settings.fetch.rules, own_endpoints=settings.fetch.enabled),
        guard=guard,
        public_url=settings.server.public_url,
        sources=sources,
        spooling=Spooling(settings.upload.max_upload_size, settings.limits.upload_timeout),
        work=Work(
            intake,
            conversions,
            sources,
            effort=settings.tinify.effort,
            seconds=settings.tinify.wait,
        ),
    )
    add_shrink(blueprint, desk)
    add_output(blueprint, desk)
    add_keys(blueprint, desk)
    return blueprint
