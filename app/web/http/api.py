"""The routes of the HTTP API on pictures."""

from __future__ import annotations

from sanic import Blueprint

from app.web.http.about import Page, add_about
from app.web.http.archive import add_archive
from app.web.http.batch import add_batch
from app.web.http.download import add_download
from app.web.http.events import add_events
from app.web.http.status import add_status
from app.web.http.upload import add_upload
from app.web.http.withdrawal import add_withdrawal
from app.web.service.services import Services


def http_blueprint(services: Services, page: Page) -> Blueprint:
    """/ /upload /status /events /queue /download /batch /archive

    Args:
        page: what browsers get at `/`.
    """
    blueprint = Blueprint("http")
    add_about(blueprint, services, page)
    add_upload(blueprint, services)
    add_status(blueprint, services)
    add_events(blueprint, services)
    add_withdrawal(blueprint, services)
    add_download(blueprint, services)
    add_batch(blueprint, services)
    add_archive(blueprint, services)
    return blueprint
