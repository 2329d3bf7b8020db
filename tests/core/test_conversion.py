"""Conversions as values."""

from __future__ import annotations

import json

import pytest

from app.core.picture import paths
from app.core.picture.conversion import Conversion, parse_md5
from imaging.formats import Format

MD5 = "0123456789abcdef" * 2


def test_equal_conversions_are_one_job_and_different_ones_are_not() -> None:
    ids = {
        Conversion(MD5, Format.WEBP, 0).job_id,
        Conversion(MD5, Format.WEBP, 0).job_id,
        Conversion(MD5, Format.JPG, 80).job_id,
        Conversion(MD5, Format.JPG, 81).job_id,
        Conversion(MD5[::-1], Format.JPG, 80).job_id,
    }
    assert len(ids) == 4


def test_a_conversion_survives_its_way_through_json() -> None:
    conversion = Conversion(MD5, Format.JPG, 80)
    assert Conversion.from_dict(json.loads(json.dumps(conversion.to_dict()))) == conversion


def test_a_storage_key_tells_whose_it_is() -> None:
    conversion = Conversion(MD5, Format.PNG, 0)
    owner = paths.Owner(conversion.job_id, "00ff")
    assert paths.owner(paths.original(conversion, "00ff")) == owner
    assert paths.owner(paths.result(conversion, "00ff")) == owner
    assert paths.result(conversion, "00ff").startswith("results/01/")


@pytest.mark.parametrize("key", ["", "x", "originals/01/x", "other/01/a.00", "results/a.00.png"])
def test_a_foreign_file_in_the_storage_is_nobodys(key: str) -> None:
    assert paths.owner(key) is None


@pytest.mark.parametrize("value", ["", MD5[1:], MD5 + "0", "g" * 32, MD5 + "\n", "٠" * 32])
def test_only_32_hex_digits_are_an_md5(value: str) -> None:
    assert parse_md5(value) is None
    assert parse_md5(MD5.upper()) == MD5
