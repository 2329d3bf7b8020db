"""The kinds of file that are taken at the upload are those that are read."""

from __future__ import annotations

import pytest

from imaging.codecs import READERS
from imaging.convert import convert
from imaging.errors import PictureError
from imaging.formats import READABLE, Format
from tests.imaging.samples import target


def test_what_the_web_takes_is_what_a_worker_reads() -> None:
    assert READERS.keys() == READABLE.keys()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"8BPS\0\1" + bytes(100), r"PSD \(Photoshop\) is not supported; send one of JPEG, "),
        (b"plain text", "The file is not a picture"),
    ],
)
def test_a_worker_refuses_the_others_in_the_same_words(data: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=f"^{reason}"):
        convert(data, target(Format.PNG))
