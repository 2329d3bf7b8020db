"""Range requests, case by case."""

from __future__ import annotations

import pytest

from app.web.ranges import ByteRange, RangeNotSatisfiable, matches, parse_range


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
    assert parse_range(header, None, '"tag"', 10) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_a_range_without_a_byte_is_not_satisfiable(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(header, None, '"tag"', 10)


def test_the_validator_is_one_of_a_list_of_tags() -> None:
    assert matches('"a", W/"b"', '"b"')
    assert not matches('"a"', '"b"')
    assert not matches(None, '"b"')
