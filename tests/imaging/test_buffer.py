"""The memory that pixels are decoded to serves one picture after the other, and none sees what
another one has left there."""

from __future__ import annotations

import mmap

import pytest
from PIL import Image

from imaging.codecs import READERS
from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Effort
from imaging.results import buffer
from tests.imaging.samples import photo, target
from tests.pictures import encoded, noise

pytestmark = pytest.mark.skipif(
    not hasattr(mmap, "MADV_HUGEPAGE"), reason="this system has Pillow's own memory alone"
)

READ = READERS["image/jpeg"].plain
SIZE = (960, 720)
TO_JPG = target(Format.JPG, 80)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    buffer.release()


def _left() -> bytes:
    """What is in the memory that the next picture gets."""
    with buffer.lent(buffer.LEAST) as memory:
        assert memory is not None
        return memory[: buffer.LEAST]


def _jpeg(image: Image.Image, **options: object) -> bytes:
    return encoded(image, "JPEG", quality=95, **options)


def _photo(mode: str = "RGB") -> Image.Image:
    return photo().resize(SIZE).convert(mode)


def test_a_photograph_is_decoded_to_it() -> None:
    assert not any(_left())
    convert(_jpeg(_photo()), TO_JPG)
    assert any(_left())


def test_a_small_picture_and_a_very_large_one_have_memory_of_pillow() -> None:
    for size in (buffer.LEAST - 1, buffer.MOST + 1):
        with buffer.lent(size) as memory:
            assert memory is None
    convert(_jpeg(photo()), TO_JPG)
    assert not any(_left())


def test_what_libvips_converts_has_the_memory_for_itself() -> None:
    convert(_jpeg(_photo()), TO_JPG)
    convert(_jpeg(photo()), target(Format.JPG, 80, width=50))
    assert not any(_left())


def test_pictures_at_the_same_time_have_memory_of_their_own() -> None:
    with buffer.lent(buffer.LEAST) as one, buffer.lent(buffer.LEAST) as other:
        assert one is not None
        assert other is not None
        one[:3] = b"one"
        assert other[:3] == bytes(3)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("effort", [Effort.FAST, Effort.BALANCED])
def test_a_picture_is_the_same_whatever_was_there_before(
    effort: Effort, progressive: bool, mode: str
) -> None:
    data = _jpeg(_photo(mode), progressive=progressive)
    wanted = target(Format.JPG, 80, effort)
    first = convert(data, wanted)
    convert(noise(1500), wanted)
    assert convert(data, wanted) == first


@pytest.mark.parametrize("progressive", [False, True])
def test_a_broken_file_shows_nothing_of_the_picture_before_it(progressive: bool) -> None:
    whole = _jpeg(_photo(), progressive=progressive)
    half = len(whole) // 2
    for data in (
        whole[:half],
        whole[:half] + b"\xff\xd9",
        whole[:half] + bytes(64) + whole[half + 64 :],
        whole[:half] + whole[half + 40 :],
        whole[:-30] + b"\xff\xd9",
    ):
        buffer.release()
        alone = _decoded(data)
        with buffer.lent(buffer.LEAST) as memory:
            assert memory is not None
            memory[:] = b"\xab" * len(memory)
        assert _decoded(data) == alone


def _decoded(data: bytes) -> bytes | None:
    with buffer.lent(buffer.LEAST) as memory:
        picture = READ(data, SIZE, memory)
        return picture.tobytes() if picture else None
