"""A tiny picture costs little: what a step of libvips takes is more than its pixels do."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import pyvips
from PIL import Image, ImageDraw

from bench.graphics import NAMES, make_graphics
from bench.launch import ROOT
from bench.web.pictures import small_pictures
from imaging.convert import convert
from imaging.formats import Format
from imaging.formats.webp import by_pillow, codec, libwebp
from imaging.options import Effort
from imaging.source import pixels
from imaging.write.palette import to_pillow
from tests.imaging.samples import photo, target
from tests.pictures import encoded


def _few_colours() -> bytes:
    return next(small_pictures(32))


def _icon() -> bytes:
    image = Image.new("RGBA", (128, 128), (0, 0, 0, 0))
    ink = ImageDraw.Draw(image)
    ink.ellipse((4, 4, 124, 124), (30, 90, 200, 255))
    ink.rectangle((40, 30, 70, 100), (255, 255, 255, 255))
    return encoded(image.resize((32, 32), Image.Resampling.LANCZOS), "PNG")


def _icons(folder: Path) -> list[bytes]:
    """The last is one of those that are smaller by the search of `balanced`."""
    made = []
    for path in make_graphics(folder, NAMES[:15]):
        image = Image.open(path).convert("RGBA")
        image.thumbnail((48, 48), Image.Resampling.LANCZOS)
        made.append(encoded(image, "PNG"))
    return made


def _photograph() -> bytes:
    return encoded(photo(32, 32), "PNG")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The steps of libvips that have been taken."""
    taken: Counter[str] = Counter()
    call = pyvips.Operation.call

    def counted(name: str, *arguments: Any, **options: Any) -> Any:
        taken[name] += 1
        return call(name, *arguments, **options)

    monkeypatch.setattr(pyvips.Operation, "call", staticmethod(counted))
    pyvips.Image.black(1, 1)
    assert taken["black"], "nothing is counted"
    taken.clear()
    return taken


@pytest.mark.parametrize(
    ("make", "most"),
    [(_few_colours, 0), (_photograph, 0), (_icon, 34)],
    ids=["few colours", "photograph", "icon"],
)
@pytest.mark.parametrize("effort", [Effort.FAST, Effort.BALANCED])
def test_a_tiny_webp_takes_few_steps(
    steps: Counter[str], make: Any, most: int, effort: Effort
) -> None:
    """It took 134 for a picture of few colours, and fifty milliseconds."""
    convert(make(), target(Format.WEBP, 0, effort))
    assert steps.total() <= most, steps


@pytest.mark.parametrize("make", [_few_colours, _photograph, _icon])
@pytest.mark.parametrize(
    "settings",
    [
        {"Q": 80, "effort": 4, "smart_subsample": False},
        {"lossless": True, "Q": 75, "effort": 2},
        {"lossless": True, "Q": 75, "effort": 0},  # of the sample that tells a photograph
        {"Q": 80, "effort": 0},
        {"Q": 78, "effort": 5, "smart_subsample": True},
        {"Q": 93, "effort": 6, "smart_subsample": True},
        {"lossless": True, "Q": 100, "effort": 5},
        {"lossless": True, "Q": 100, "effort": 4, "exact": True},
    ],
    ids=str,
)
def test_a_small_webp_has_the_bytes_that_libvips_writes(
    make: Any, settings: dict[str, Any]
) -> None:
    image = pyvips.Image.pngload_buffer(make()).copy_memory()
    assert by_pillow.is_still(image)
    assert by_pillow.can_write(settings)
    assert by_pillow.write(to_pillow(image), settings) == image.webpsave_buffer(
        keep="none", **settings
    )


def test_smart_subsampling_is_left_to_libvips_where_libwebp_cannot_be_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = convert(_photograph(), target(Format.WEBP, 92, Effort.BALANCED))
    monkeypatch.setattr(libwebp, "library", lambda: None)
    assert not by_pillow.can_write({"Q": 80, "effort": 5, "smart_subsample": True})
    assert convert(_photograph(), target(Format.WEBP, 92, Effort.BALANCED)) == expected


def test_a_webp_that_libwebp_cannot_write_is_an_error() -> None:
    wide = Image.new("RGB", (16_384, 2))
    with pytest.raises(OSError, match="encoding error"):
        libwebp.write(wide, {"Q": 80, "effort": 5, "smart_subsample": True})


def test_what_is_left_out_of_a_tiny_webp_would_not_have_won(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pictures = [*islice(small_pictures(48), 3), _icon(), _photograph(), *_icons(tmp_path)]
    now = [convert(data, target(Format.WEBP, 0)) for data in pictures]
    monkeypatch.setattr(codec, "WHOLE_GAIN", float("inf"))
    monkeypatch.setattr(codec, "TINY_SHARP_GAIN", codec.SHARP_GAIN)
    assert [convert(data, target(Format.WEBP, 0)) for data in pictures] == now


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_small_webp_is_looked_at_by_pillow_as_by_libvips(mode: str) -> None:
    data = encoded(photo(40, 30).convert(mode), "WEBP")
    picture = by_pillow.read(data)
    assert isinstance(picture, Image.Image)
    decoded = pyvips.Image.webpload_buffer(data)
    assert picture.tobytes() == bytes(pixels(decoded))
    assert len(picture.getbands()) == decoded.bands
    with pytest.raises(OSError, match=r"decode|identify"):
        by_pillow.read(data[: len(data) // 2])


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_a_small_webp_looks_as_its_pixels_do(mode: str) -> None:
    image = photo(40, 30).convert(mode)
    data = encoded(image, "PNG")
    result = convert(data, target(Format.WEBP, 0, lossless=True))
    decoded = pyvips.Image.webpload_buffer(result)
    shown = to_pillow(decoded.colourspace("srgb")).convert("RGBA")
    assert shown.tobytes() == image.convert("RGBA").tobytes()


def test_more_effort_makes_no_tiny_picture_larger() -> None:
    pictures = [*islice(small_pictures(32), 3), _icon(), _photograph()]
    for data in pictures:
        sizes = [len(convert(data, target(Format.WEBP, 0, effort))) for effort in Effort]
        assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("side", [32, 48])
def test_more_effort_never_makes_a_tiny_png_larger(side: int) -> None:
    """`small` gave 200 bytes for one of 184, as its own encoder had made it clearly smaller."""
    for data in islice(small_pictures(side), 12):
        sizes = [len(convert(data, target(Format.PNG, 0, effort))) for effort in Effort]
        assert sizes == sorted(sizes, reverse=True)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the kernel or glibc differs")
def test_a_png_is_optimised_without_a_thread_of_oxipng() -> None:
    """oxipng waited for its thread by spinning: up to 4 ms five times for a picture."""
    script = """
import os, sys
from imaging.formats.png.optimise import optimise, strip
from imaging.options import Effort
data = sys.stdin.buffer.read()
assert len(optimise(data, Effort.SMALL)) <= len(data)
assert len(strip(data, None, Effort.SMALL)) <= len(data)
print(len(os.listdir("/proc/self/task")))
"""
    threads = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"RAYON_NUM_THREADS": "1"},
        input=_icon(),
        capture_output=True,
        check=True,
    )
    assert int(threads.stdout) == 2  # the main one, and that which calls oxipng
