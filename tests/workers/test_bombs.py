"""Files that promise too much: refused by their header, in a decoder that stays small."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

import pytest

from bench.hostile import BOMBS, ODDITIES, bomb
from bench.memory import peak_memory
from imaging.errors import TOO_MANY_PIXELS, PictureError
from imaging.formats import Format
from imaging.limits import Limits
from imaging.target import Target
from tests.pictures import as_format, encoded, opened, snapshot
from workers.decoder.sandbox import Sandbox

MAX_MEMORY = 300 * 1024**2
"""Bytes that a decoder may hold at most while it looks at one of these."""

FORMATS = (Format.WEBP, Format.JPG)
"""One whose files have frames, and one of a single picture."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(60)
    yield sandbox
    sandbox.close()


def _peak(sandbox: Sandbox) -> int:
    """Bytes that the decoder has held at most."""
    assert sandbox.pid is not None
    return peak_memory(sandbox.pid)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_and_the_next_picture_converted(
    sandbox: Sandbox, name: str, format: Format
) -> None:
    sandbox.start()
    pid = sandbox.pid
    with pytest.raises(PictureError, match=r"more than the \d+ allowed") as error:
        sandbox.convert(bomb(name), Target(format, 0, Limits()))
    assert error.value.code == TOO_MANY_PIXELS
    assert _peak(sandbox) < MAX_MEMORY
    assert opened(sandbox.convert(snapshot(), Target(format, 0, Limits())))
    assert sandbox.pid == pid


@pytest.mark.parametrize("name", ODDITIES)
def test_a_file_that_is_only_odd_takes_no_memory(sandbox: Sandbox, name: str) -> None:
    with contextlib.suppress(PictureError):
        sandbox.convert(bomb(name), Target(Format.WEBP, 0, Limits()))
    assert _peak(sandbox) < MAX_MEMORY


def test_the_reason_says_which_limit_and_by_how_much(sandbox: Sandbox) -> None:
    data = as_format("rocket", "PNG")
    for target, reason in (
        (
            Target(Format.WEBP, 0, Limits(100_000)),
            "640 × 427 is 273280 pixels, more than the 100000",
        ),
        (
            Target(Format.WEBP, 0, Limits(10**6, max_side=500)),
            "640 × 427 has a side of 640 pixels, more than the 500",
        ),
    ):
        with pytest.raises(PictureError, match=reason):
            sandbox.convert(data, target)


@pytest.mark.parametrize(("format", "counted"), [(Format.WEBP, 3 * 9600), (Format.JPG, 9600)])
def test_only_the_frames_that_are_decoded_count_as_pixels(
    sandbox: Sandbox, format: Format, counted: int
) -> None:
    image = opened(snapshot())
    frames = [image.rotate(angle) for angle in (90, 180)]
    data = encoded(image, "WEBP", save_all=True, append_images=frames)
    assert sandbox.convert(data, Target(format, 0, Limits(counted)))
    with pytest.raises(PictureError, match=f"is {counted} pixels"):
        sandbox.convert(data, Target(format, 0, Limits(counted - 1)))
    with pytest.raises(PictureError, match="has 3 frames, more than the 2 allowed"):
        sandbox.convert(data, Target(format, 0, Limits(counted, max_frames=2)))


def test_ordinary_texts_and_profiles_are_no_bomb(sandbox: Sandbox) -> None:
    from PIL import ImageCms
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("Comment", "harmless " * 1000, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", "<x/>" * 100_000, zip=True)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = as_format("rocket", "PNG", pnginfo=texts, icc_profile=profile)
    assert b"zTXt" in data
    assert sandbox.convert(data, Target(Format.WEBP, 0, Limits()))


def test_a_header_that_lies_about_what_is_inside_is_still_bounded(sandbox: Sandbox) -> None:
    """The codestream of a JPEG 2000 behind the largest boxes, an icon of an icon's size."""
    data = bytearray(as_format("rocket", "JPEG2000"))
    at = data.index(b"ihdr") + 4
    data[at : at + 8] = struct.pack(">II", 60_000, 60_000)
    with pytest.raises(PictureError):
        sandbox.convert(bytes(data), Target(Format.WEBP, 0, Limits()))
    assert _peak(sandbox) < MAX_MEMORY
