"""The recipients of the events of an upload."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.core.config.webhooks import WebhookSettings
from app.core.errors import InvalidOption, NotAllowed
from app.core.picture.recipients import WEBHOOK, Recipient
from app.outgoing.rules import Refused, Rules, check_url
from app.outgoing.webhook import MAX_URL


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The recipients of messages about pictures, by the settings."""

    settings: WebhookSettings = field(default_factory=WebhookSettings)
    rules: Rules = field(default_factory=Rules)

    def recipients(self, key: str | None, url: object = None) -> tuple[Recipient, ...]:
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
            for name, endpoint in self.settings.endpoints.items()
            if endpoint.keys is None or key in endpoint.keys
        )
        if url is None or url == "":
            return endpoints
        if not self.settings.any:
            raise NotAllowed(f"'{WEBHOOK}' is not allowed here")
        if not isinstance(url, str) or len(url) > MAX_URL:
            raise InvalidOption(f"'{WEBHOOK}' should be a URL of {MAX_URL} characters at most")
        try:
            check_url(url.strip(), self.rules)
        except Refused as error:
            raise InvalidOption(f"'{WEBHOOK}': {error}") from None
        return (*endpoints, Recipient(url=url.strip()))
