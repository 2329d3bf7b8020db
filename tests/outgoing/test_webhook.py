"""One message to one URL: signed, bounded in time, and to public addresses alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from app.core.picture.recipients import EventType, Recipient, parse_recipient
from app.outgoing.rules import Refused, Rules, check_url
from app.outgoing.webhook import NotDelivered, post
from tests.receiver import OTHER_SECRET, SECRET, Receiver, answers, closes, receiver

ID, TEXT = "evt_0123_1", '{"type":"image.done","data":{"filename":"é.jpg"}}'
RULES = Rules(allowed_networks=("127.0.0.1/32",), seconds=1)


@pytest.fixture(name="receiver")
def _receiver() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def _refused(url: str, rules: Rules = RULES) -> NotDelivered:
    with pytest.raises(NotDelivered) as failed:
        post(url, ID, TEXT, [SECRET], rules)
    assert url not in str(failed.value)
    return failed.value


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_success_counts_and_every_secret_signs(receiver: Receiver, status: int) -> None:
    receiver.always = status
    assert post(receiver.url, ID, TEXT, [SECRET, OTHER_SECRET], RULES) == status
    (came,) = receiver.received
    assert came.id == ID
    assert came.body == TEXT.encode()
    assert came.is_signed_by(SECRET)
    assert came.is_signed_by(OTHER_SECRET)
    assert abs(int(came.headers["webhook-timestamp"]) - time.time()) < 5
    assert not {"authorization", "cookie"} & set(came.headers)


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503, 304])
def test_any_other_status_is_a_failure_that_is_tried_again(receiver: Receiver, status: int) -> None:
    receiver.always = status
    failed = _refused(receiver.url)
    assert (str(failed), failed.final) == (f"The recipient answered {status}", False)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.always = answers(status, Location=f"{receiver.url}/other")
    assert not _refused(receiver.url).final
    assert [came.path for came in receiver.received] == ["/hooks"]


def test_a_recipient_that_is_gone_gets_no_further_try(receiver: Receiver) -> None:
    receiver.always = 410
    failed = _refused(receiver.url)
    assert failed.final
    assert "410" in str(failed)


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("120", 120, 120),
        ("in an hour", 3500, 3601),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0, 0),
        ("soon", 0, 0),
        ("-5", 0, 0),
        ("٣", 0, 0),
        ("9" * 5000, 1e8, 1e10),
        (f"Fri, 31 Dec 1999 23:59:59 -{'9' * 20}", 0, 0),
    ],
)
def test_it_is_left_alone_as_long_as_it_asks(
    receiver: Receiver, value: str, least: float, most: float
) -> None:
    if value == "in an hour":
        value = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    receiver.always = answers(503, Retry_After=value.encode().decode("latin-1"))
    assert least <= _refused(receiver.url).retry_after <= most


@pytest.mark.parametrize("way", ["hang", "drip"])
def test_one_that_does_not_come_to_an_end_is_left_in_time(receiver: Receiver, way: str) -> None:
    receiver.always = getattr(receiver, way)
    began = time.monotonic()
    assert "longer than 1 seconds" in str(_refused(receiver.url))
    assert 0.9 < time.monotonic() - began < 5


def test_the_body_of_the_answer_does_not_matter(receiver: Receiver) -> None:
    receiver.answers = [receiver.drip_body, answers(200, Content_Length="1000000000000")]
    for _ in range(2):
        began = time.monotonic()
        assert post(receiver.url, ID, TEXT, [SECRET], RULES) == 200
        assert time.monotonic() - began < 0.9


def test_one_that_closes_or_is_not_there_is_tried_again(receiver: Receiver) -> None:
    receiver.always = closes
    assert not _refused(receiver.url).final
    assert not _refused("http://127.0.0.1:1024/nothing").final


@pytest.mark.parametrize("url", ["http://10.0.0.1/hooks", "http://127.0.0.2:8080/", "ftp://a.b/"])
def test_a_url_to_the_inside_is_refused_for_good(url: str) -> None:
    assert _refused(url).final


def test_a_name_that_leads_inside_by_the_time_of_the_delivery_is_refused(
    receiver: Receiver,
) -> None:
    def resolver(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", ("127.0.0.1", receiver.port))]

    rules = Rules(seconds=1, resolver=resolver)
    url = f"http://hooks.example.org:{receiver.port}/"
    check_url(url, rules)  # at the upload it is only a name
    assert str(_refused(url, rules)) == "The URL does not lead to a public address"
    assert not receiver.received


@pytest.mark.parametrize(
    "url",
    [
        *("http://user:pass@example.org/", "http://example.org:25/", "file:///etc/passwd", ""),
        *("http://exa mple.org/", "http://exämple.org/", "http://example.org/\r\nX: y", "//a.b/"),
        *("http://[::1]/", "http://169.254.169.254/latest", "http://2130706433/"),
    ],
)
def test_a_url_that_could_not_be_sent_to_is_refused_at_the_upload(url: str) -> None:
    with pytest.raises(Refused):
        check_url(url, RULES)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://example.org/a.jpg", "should begin with http:// or https://"),
        ("example.org/a.jpg", "should begin with http:// or https://"),
        ("http://user:pw@example.org/", "without a user and a password"),
        ("https://user@example.org/", "without a user and a password"),
        ("http://example.org:1/", "80, 443 and 1024 to 65535 (it is 1)"),
        ("http://example.org:99999/x", "80, 443 and 1024 to 65535"),
        ("http://example.org:http/", "80, 443 and 1024 to 65535"),
        ("http://", "Cannot parse URL"),
        ("http://[::1", "Cannot parse URL"),
        ("http://b\u00fccher.example/", "in punycode (xn--…), all else percent-encoded"),
        ("http://example.org/a b.jpg", "ASCII alone and no blanks"),
        ("http://10.0.0.1/", "does not lead to a public address"),
    ],
)
def test_who_names_such_a_url_is_told_why(url: str, told: str) -> None:
    with pytest.raises(Refused) as refused:
        check_url(url, RULES)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    "recipient",
    [
        Recipient(name="shop.1", events=(EventType.IMAGE_DONE,)),
        Recipient(url='https://example.org/a?b="c"\\n&d=%0a'),
    ],
)
def test_a_recipient_is_found_by_its_id(recipient: Recipient) -> None:
    found = parse_recipient(recipient.id)
    assert (found.name, found.url) == (recipient.name, recipient.url)
    assert recipient.note.count("\n") == 1
    assert len(recipient.note.split(" ", 2)) == 3
    assert "example.org/a" not in repr(recipient)
    assert recipient.label in ("shop.1", "example.org")
