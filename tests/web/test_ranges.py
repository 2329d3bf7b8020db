"""Conditional and range requests, case by case."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from app.core.errors import RangeNotSatisfiable
from app.web.http.ranges import ByteRange, Condition, Version, parse_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=2-", ByteRange(2, 10)),
        ("bytes=-3", ByteRange(7, 10)),
        ("bytes=-30", ByteRange(0, 10)),
        ("bytes=8-30", ByteRange(8, 10)),
        ("Bytes= 1 - 2 ", ByteRange(1, 3)),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=a-b", None),
        ("bytes=0-" + "9" * 50, None),
    ],
)
def test_a_range_is_read_as_the_rfc_has_it(header: str | None, expected: ByteRange | None) -> None:
    assert parse_range(header, 10) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_a_range_without_a_byte_is_not_satisfiable(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(header, 10)


MODIFIED = datetime(1994, 11, 6, 9, 49, 37, 900_000, timezone(timedelta(hours=1)))
"""The example of RFC 9110, section 5.6.7, with a part of a second."""

VERSION = Version('"b"', MODIFIED, only_one=True)
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
OLDER, NEWER = "Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:38 GMT"


def test_the_date_is_that_of_http() -> None:
    assert VERSION.last_modified == DATE


@pytest.mark.parametrize(
    ("headers", "condition"),
    [
        ({}, Condition.HOLDS),
        ({"if-none-match": '"a", W/"b"'}, Condition.NOT_MODIFIED),
        ({"if-none-match": "*"}, Condition.NOT_MODIFIED),
        ({"if-none-match": '"a"'}, Condition.HOLDS),
        ({"if-modified-since": DATE}, Condition.NOT_MODIFIED),
        ({"if-modified-since": NEWER}, Condition.NOT_MODIFIED),
        ({"if-modified-since": OLDER}, Condition.HOLDS),
        # The older forms that a recipient has to read.
        ({"if-modified-since": "Sunday, 06-Nov-94 08:49:37 GMT"}, Condition.NOT_MODIFIED),
        ({"if-modified-since": "Sun Nov  6 08:49:37 1994"}, Condition.NOT_MODIFIED),
        ({"if-modified-since": "Sunday, 06-Nov-94 08:49:36 GMT"}, Condition.HOLDS),
        ({"if-modified-since": "yesterday"}, Condition.HOLDS),
        ({"if-modified-since": "Sun, 06 Nov 99999 08:49:37 GMT"}, Condition.HOLDS),
        ({"if-modified-since": ""}, Condition.HOLDS),
        # The tag wins, both ways.
        ({"if-none-match": '"a"', "if-modified-since": DATE}, Condition.HOLDS),
        ({"if-none-match": '"b"', "if-modified-since": OLDER}, Condition.NOT_MODIFIED),
        ({"if-unmodified-since": DATE}, Condition.HOLDS),
        ({"if-unmodified-since": OLDER}, Condition.FAILED),
        ({"if-unmodified-since": "never"}, Condition.HOLDS),
        ({"if-match": '"a", "b"'}, Condition.HOLDS),
        ({"if-match": "*"}, Condition.HOLDS),
        ({"if-match": '"a"'}, Condition.FAILED),
        ({"if-match": 'W/"b"'}, Condition.FAILED),
        ({"if-match": '"b"', "if-unmodified-since": OLDER}, Condition.HOLDS),
        ({"if-match": '"b"', "if-none-match": '"b"'}, Condition.NOT_MODIFIED),
        ({"if-unmodified-since": OLDER, "if-none-match": '"b"'}, Condition.FAILED),
    ],
)
def test_preconditions_hold_in_the_order_of_the_rfc(
    headers: dict[str, str], condition: Condition
) -> None:
    assert VERSION.check(headers) is condition


@pytest.mark.parametrize("header", [None, '"b"', DATE])
def test_a_range_is_of_the_version_that_if_range_names(header: str | None) -> None:
    assert VERSION.is_same(header)


@pytest.mark.parametrize("header", ['"a"', 'W/"b"', NEWER, OLDER, "b", ""])
def test_a_range_of_another_version_does_not_count(header: str) -> None:
    assert not VERSION.is_same(header)


def test_a_date_names_no_version_where_two_may_have_been_made_in_a_second() -> None:
    assert not Version('"b"', MODIFIED, only_one=False).is_same(DATE)
