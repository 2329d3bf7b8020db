"""libwebp through its C interface: each size and kind of picture, and what it refuses."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from imaging.formats.webp import by_pillow, libwebp
from imaging.write.strips import to_vips
from tests.imaging.samples import photo
from tests.pictures import encoded, opened

MODES = ("L", "LA", "RGB", "RGBA")
SIZES = ((1, 1), (1, 2), (3, 5), (1, 16_383), (16_383, 1), (129, 127))


def _picture(mode: str, size: tuple[int, int]) -> Image.Image:
    image = photo().resize(size)
    if mode.endswith("A"):
        image.putalpha(Image.linear_gradient("L").resize(size))
    return image.convert(mode)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", MODES)
def test_a_picture_of_any_size_is_written_as_libvips_does_and_read_as_pillow_does(
    mode: str, size: tuple[int, int]
) -> None:
    image = _picture(mode, size)
    in_libvips = to_vips(image).copy_memory()
    for smart in (False, True):
        settings: dict[str, Any] = {"Q": 77, "effort": 2, "smart_subsample": smart}
        data = by_pillow.write(image, settings)
        assert by_pillow.write(in_libvips, settings) == data
        assert in_libvips.webpsave_buffer(keep="none", **settings) == data
        read = libwebp.read(data)
        assert read is not None
        assert (read.width, read.height) == size
        assert read.values == opened(data).tobytes()


@pytest.mark.parametrize("settings", [{"Q": 101, "effort": 4}, {"Q": 80, "effort": 7}])
def test_a_setting_that_libwebp_does_not_have_is_an_error(settings: dict[str, Any]) -> None:
    with pytest.raises(OSError, match="encoding error 4"):  # VP8_ENC_ERROR_INVALID_CONFIGURATION
        libwebp.write(photo(), settings)


def test_what_is_no_whole_still_is_left_to_pillow() -> None:
    still = encoded(photo(), "WEBP")
    file = io.BytesIO()
    photo().save(file, "WEBP", save_all=True, append_images=[photo().rotate(9)])
    for data in (b"", b"RIFF", b"no picture", still[:-100], still[:40], file.getvalue()):
        assert libwebp.read(data) is None
    for data in (b"", b"no picture", still[:40]):
        with pytest.raises(OSError, match=r"cannot identify|decoder"):
            by_pillow.read(data)
