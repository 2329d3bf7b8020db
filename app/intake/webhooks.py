"""The recipients of the events of an upload."""

from __future__ import annotations

from app.core.config.settings import Settings
from app.core.errors import InvalidOption, NotAllowed
from app.core.picture.recipients import WEBHOOK, Recipient
from app.outgoing.rules import Refused, check_url
from app.outgoing.webhook import MAX_URL


def recipients_of(settings: Settings, key: str | None, url: object = None) -> tuple[Recipient, ...]:
    """The recipients of an upload: the endpoints of its key, and the URL that it names.

    Args:
        key: the name of the client's API key.
        url: the field `webhook` of the upload.

    Raises:
        NotAllowed: if uploads may not name a URL.
        InvalidOption: if it is not one that a request may go to, as far as that can be seen.
    """
    endpoints = tuple(
        Recipient(name=name, events=endpoint.events)
        for name, endpoint in settings.webhooks.endpoints.items()
        if endpoint.keys is None or key in endpoint.keys
    )
    if url is None or url == "":
        return endpoints
    if not settings.webhooks.any:
        raise NotAllowed(f"'{WEBHOOK}' is not allowed here")
    if not isinstance(url, str) or len(url) > MAX_URL:
        raise InvalidOption(f"'{WEBHOOK}' should be a URL of {MAX_URL} characters at most")
    try:
        check_url(url.strip(), settings.webhook_rules)
    except Refused as error:
        raise InvalidOption(f"'{WEBHOOK}': {error}") from None
    return (*endpoints, Recipient(url=url.strip()))
