"""A WebP of one frame is written by Pillow's libwebp, for the bytes of libvips's."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from imaging.convert import convert
from imaging.formats import Format
from imaging.formats.webp import by_pillow
from imaging.options import Effort
from imaging.target import Target
from imaging.write.strips import Picture
from tests.imaging.samples import corners, photo, target
from tests.pictures import encoded, opened


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes of what Pillow has written."""
    sizes: list[tuple[int, int]] = []
    write = by_pillow.write

    def noted(image: Picture, settings: Any) -> bytes:
        sizes.append((image.width, image.height))
        return write(image, settings)

    monkeypatch.setattr(by_pillow, "write", noted)
    return sizes


def _by_libvips(data: bytes, wanted: Target) -> bytes:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(by_pillow, "can_write", lambda settings: False)
        return convert(data, wanted)


def _see_through(image: Image.Image) -> Image.Image:
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize(
    ("image", "options"),
    [
        (photo(400, 300), {}),
        (photo(400, 300).convert("L"), {}),
        (_see_through(photo(400, 300)), {}),
        (_see_through(photo(400, 300).convert("L")), {}),
        (corners(400, 300), {}),
        (_see_through(corners(400, 300)), {"lossless": True}),
        (photo(500, 375), {"width": 400}),
    ],
    ids=["colours", "grey", "alpha", "grey, alpha", "graphic", "exact", "made smaller"],
)
def test_a_still_has_the_bytes_that_libvips_writes(
    written: list[tuple[int, int]], image: Image.Image, options: dict[str, Any], effort: Effort
) -> None:
    data, wanted = encoded(image, "PNG"), target(Format.WEBP, 80, effort, **options)
    result = convert(data, wanted)
    assert (400, 300) in written or effort is not Effort.FAST
    assert result == _by_libvips(data, wanted)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_what_pillow_cannot_write_libvips_does(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data, wanted = encoded(photo(400, 300), kind), target(Format.WEBP)
    expected = convert(data, wanted)
    asked: list[object] = []

    def fail(*given: object) -> bytes:
        asked.append(given)
        raise ValueError("encoding error 6")

    monkeypatch.setattr(by_pillow, "write", fail)
    assert convert(data, wanted) == expected
    assert asked


def test_a_still_with_metadata_is_written_by_libvips(written: list[tuple[int, int]]) -> None:
    exif = Image.Exif()
    exif[0x8298] = "mine"
    data = encoded(photo(400, 300), "PNG", exif=exif)
    result = convert(data, target(Format.WEBP, keep=["copyright"]))
    assert opened(result).getexif()[0x8298] == "mine"
    assert (400, 300) not in written


@pytest.mark.parametrize(
    ("width", "mode", "most"), [(700, "LA", 5), (700, "RGBA", 6), (700, "RGB", 6), (400, "LA", 6)]
)
def test_a_large_still_with_alpha_is_not_searched_for_long(
    monkeypatch: pytest.MonkeyPatch, width: int, mode: str, most: int
) -> None:
    efforts: list[int] = []
    write = by_pillow.write

    def noted(image: Picture, settings: Any) -> bytes:
        efforts.append(settings["effort"])
        return write(image, {**settings, "effort": 0})

    monkeypatch.setattr(by_pillow, "write", noted)
    image = Image.effect_noise((width, 800), 80).convert(mode)  # opaque
    if mode == "LA":
        image = _see_through(image)
    convert(encoded(image, "PNG"), target(Format.WEBP, effort=Effort.SMALL))
    assert max(efforts) == most
