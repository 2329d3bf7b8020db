"""The routes of the HTTP API on pictures."""

from __future__ import annotations

from sanic import Blueprint

from app.core.config.settings import Settings
from app.core.intake.intake import Intake
from app.web.guard.requests import Guard
from app.web.http.about import Page, add_about
from app.web.http.archive import add_archive
from app.web.http.batch import add_batch
from app.web.http.download import add_download
from app.web.http.events import add_events
from app.web.http.status import add_status
from app.web.http.upload import add_upload
from app.web.http.withdrawal import add_withdrawal
from app.web.service.batches import Batches
from app.web.service.conversions import Conversions
from app.web.service.links import Links


def http_blueprint(
    settings: Settings,
    intake: Intake,
    conversions: Conversions,
    guard: Guard,
    *,
    links: Links,
    batches: Batches,
    page: Page,
) -> Blueprint:
    """/ /upload /status /events /queue /download /batch /archive

    Args:
        page: what browsers get at `/`.
    """
    blueprint = Blueprint("http")
    add_about(blueprint, settings, guard, page)
    add_upload(blueprint, settings, intake, guard, links)
    add_status(blueprint, settings, conversions, links)
    add_events(blueprint, settings, conversions, guard, links)
    add_withdrawal(blueprint, settings, conversions, links)
    add_download(blueprint, settings, conversions)
    add_batch(blueprint, settings, conversions, batches)
    add_archive(blueprint, settings, conversions, guard, batches)
    return blueprint
