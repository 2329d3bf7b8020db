"""One message sent to one URL, signed as Standard Webhooks has it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from standardwebhooks.webhooks import Webhook

from app.outgoing.exchange import Request, exchange
from app.outgoing.rules import OutgoingError, Refused, Rules

MAX_URL = 1024
"""Characters of a URL, as of any field of an upload."""

_GONE = 410


class NotDelivered(Exception):
    """The recipient has not taken it. The message says why, and names no URL."""

    def __init__(self, reason: str, *, final: bool = False, retry_after: float = 0) -> None:
        """
        Args:
            final: whether a further try would be no better.
            retry_after: seconds that the recipient wants to be left alone.
        """
        super().__init__(reason)
        self.final = final
        self.retry_after = retry_after


def post(url: str, id: str, text: str, secrets: Sequence[str], rules: Rules) -> int:
    """Send a message.

    Args:
        id: of the event, the same at each try.
        secrets: as `whsec_…`; each makes a signature, so that a new one can be brought in.

    Returns:
        the status, from 200 to 299.

    Raises:
        NotDelivered: if the recipient has not taken it.
    """
    moment = datetime.now(UTC)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(each).sign(id, moment, text) for each in secrets),
    }
    request = Request(url, "POST", headers, text.encode())
    try:
        # The body of the answer is left unread: it says nothing, and may be of any size.
        with exchange(request, rules, time.monotonic() + rules.seconds) as answer:
            status, retry_after = answer.status, answer.headers.get("retry-after", "")
    except Refused as error:
        raise NotDelivered(str(error), final=True) from None
    except OutgoingError as error:
        raise NotDelivered(str(error)) from None
    if 200 <= status < 300:
        return status
    if status == _GONE:
        raise NotDelivered("The recipient is gone (410) and wants no more events", final=True)
    raise NotDelivered(
        f"The recipient answered {status}", retry_after=_seconds(retry_after, moment)
    )


def _seconds(value: str, moment: datetime) -> float:
    """Seconds of a `Retry-After` (RFC 9110, section 10.2.3); 0 for an invalid one."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - moment).total_seconds())
