"""/shrink /output /keys"""

from __future__ import annotations

from sanic import Blueprint

from app.web.service.services import Services
from app.web.service.spooling import Spooling
from app.web.tinify.accounts import Accounts
from app.web.tinify.deliver import Deliveries
from app.web.tinify.desk import Desk
from app.web.tinify.keys import add_keys
from app.web.tinify.output import add_output
from app.web.tinify.shrink import add_shrink
from app.web.tinify.work import Work


def tinify_blueprint(services: Services) -> Blueprint:
    """The routes of the Tinify API. Each asks for the key itself, in the way of this API, or not at
    all."""
    blueprint, settings = Blueprint("tinify"), services.settings
    desk = Desk(
        accounts=Accounts(services.guard, services.redis, settings.limits.compressions),
        conversions=services.conversions,
        deliveries=Deliveries(settings.fetch.rules, own_endpoints=settings.fetch.enabled),
        guard=services.guard,
        public_url=settings.server.public_url,
        sources=services.sources,
        spooling=Spooling(settings.upload.max_upload_size, settings.limits.upload_timeout),
        work=Work(services),
    )
    add_shrink(blueprint, desk)
    add_output(blueprint, desk)
    add_keys(blueprint, desk)
    return blueprint
