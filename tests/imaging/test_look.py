"""SSIMULACRA2 as the engine computes it, held against the reference package."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import pyvips

from bench.launch import ROOT
from bench.pictures import shipped
from imaging import look
from imaging.look import Method, by_pillow, by_vszip
from workers.decoder.process import ENVIRONMENT, DecoderLimits
from workers.decoder.sandbox import Sandbox

needs_vszip = pytest.mark.skipif(
    not by_vszip.is_installed(), reason="VapourSynth has no wheel for this Python"
)

PICTURES = ("astronaut.png", "coffee.png", "rocket.jpg", "ihc.png")


def picture(name: str) -> pyvips.Image:
    image = pyvips.Image.new_from_file(str(shipped([name])[0]))
    return image.colourspace("srgb").cast("uchar").copy_memory()


def reopened(data: bytes) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(data, "").colourspace("srgb").copy_memory()


def by_package(one: pyvips.Image, other: pyvips.Image) -> float:
    from ssimulacra2 import compute_ssimulacra2  # with SciPy, not in every process of the tests

    files = (io.BytesIO(image.pngsave_buffer(compression=0)) for image in (one, other))
    return float(compute_ssimulacra2(*files))


def encodings(image: pyvips.Image) -> Iterator[pyvips.Image]:
    for quality in (40, 75, 90):
        yield reopened(image.jpegsave_buffer(Q=quality))
    yield reopened(image.webpsave_buffer(Q=70))
    yield reopened(image.heifsave_buffer(compression="av1", Q=60, effort=2, bitdepth=8))


def test_pillow_gives_the_number_of_the_reference_package_of_a_small_picture() -> None:
    image = picture("chelsea.png")
    for crop in ((10, 20, 180, 182), (90, 30, 130, 75), (3, 3, 9, 8)):
        part = image.crop(*crop).copy_memory()
        reference = by_pillow.Reference(part)
        for quality in (30, 85):
            other = reopened(part.jpegsave_buffer(Q=quality))
            assert reference.score(other) == pytest.approx(by_package(part, other), abs=0.05)


@pytest.mark.parametrize("name", ["coffee.png", "rocket.jpg"])
def test_pillow_is_within_half_a_point_of_the_reference_package(name: str) -> None:
    image = picture(name).crop(60, 10, 451, 301).copy_memory()
    reference = by_pillow.Reference(image)
    for quality in (40, 85):
        other = reopened(image.jpegsave_buffer(Q=quality))
        assert reference.score(other) == pytest.approx(by_package(image, other), abs=0.5)


@needs_vszip
def test_vszip_is_as_near_to_the_reference_package_as_its_borders_let_it_be() -> None:
    apart = []
    for name in PICTURES:
        image = picture(name)
        reference = by_vszip.Reference(image)
        for other in encodings(image):
            wanted = by_package(image, other)
            if 50 <= wanted <= 95:
                apart.append(abs(reference.score(other) - wanted))
    assert len(apart) > 12
    assert sum(distance <= 0.5 for distance in apart) >= 0.9 * len(apart)
    assert max(apart) < 1


@pytest.mark.parametrize("width", [257, look.LEAST_WIDTH - 1])
def test_the_look_of_a_narrow_picture_is_within_half_a_point_of_the_reference_package(
    width: int,
) -> None:
    """Of a smooth one too, whose left and right border count for most."""
    for name in ("coffee.png", "moon.png"):
        image = picture(name).thumbnail_image(width, height=300, size="force").copy_memory()
        reference = look.reference(image)
        for other in encodings(image):
            wanted = by_package(image, other)
            if 50 <= wanted <= 95:
                assert reference.score(other) == pytest.approx(wanted, abs=0.5)


@needs_vszip
def test_a_narrow_picture_is_left_to_pillow_and_a_sample_of_a_wide_one_is_not() -> None:
    wide = picture("coffee.png").crop(0, 0, look.LEAST_WIDTH, 300).copy_memory()
    narrow = wide.crop(0, 0, look.LEAST_WIDTH - 1, 300).copy_memory()
    assert isinstance(look.reference(wide), by_vszip.Reference)
    assert isinstance(look.reference(narrow), by_pillow.Reference)
    assert isinstance(look.reference(narrow, width=2000), by_vszip.Reference)


@needs_vszip
def test_a_picture_whose_smallest_scale_does_not_count_is_left_to_pillow() -> None:
    whole, small = picture("coffee.png"), picture("coffee.png").crop(0, 0, 500, 224)
    assert isinstance(look.reference(whole), by_vszip.Reference)
    assert isinstance(look.reference(small.copy_memory()), by_pillow.Reference)


@pytest.mark.parametrize("by", [by_pillow, pytest.param(by_vszip, marks=needs_vszip)])
def test_the_same_picture_is_100_and_a_worse_one_is_less(by: ModuleType) -> None:
    image = picture("rocket.jpg").crop(150, 100, 300, 240).copy_memory()
    reference = by.Reference(image)
    scores = [reference.score(reopened(image.jpegsave_buffer(Q=q))) for q in (90, 60, 30)]
    assert reference.score(image) == pytest.approx(100, abs=0.1)
    assert scores == sorted(scores, reverse=True)
    assert len({reference.score(reopened(image.jpegsave_buffer(Q=50))) for _ in range(3)}) == 1


LOADED = """
import os, signal, sys
def state():
    handlers = [signal.getsignal(number) for number in range(1, 32) if number not in (9, 19)]
    return handlers, dict(os.environ), sys.excepthook
before = state()
import pyvips
from imaging.look import by_vszip
image = (pyvips.Image.xyz(512, 512) * [1, 2]).cast("uchar").bandjoin(90).copy_memory()
other = (image // 4 * 4).cast("uchar").copy_memory()
def megabytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
def work(times):
    for _ in range(times):
        by_vszip.Reference(image).score(other)
work(5)
held, threads = megabytes(), len(os.listdir("/proc/self/task"))
work(100)
assert state() == before, "something of the process was changed"
assert megabytes() < held + 10, (held, megabytes())
assert len(os.listdir("/proc/self/task")) <= threads + 2, "libvips starts and ends its own"
"""


@needs_vszip
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_vapoursynth_changes_nothing_of_its_process_and_keeps_no_frame() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_decoder_says_what_it_uses(tmp_path: Path) -> None:
    sandbox = Sandbox(60, DecoderLimits())
    try:
        sandbox.check()
        assert sandbox.look == (Method.VSZIP if by_vszip.is_installed() else Method.PILLOW)
    finally:
        sandbox.close()


@needs_vszip
def test_a_filter_that_gives_other_numbers_here_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert look.fastest_working() is Method.VSZIP
    monkeypatch.setattr(by_vszip, "KERNEL", by_vszip.KERNEL + 0.1)
    assert look.fastest_working() is Method.PILLOW
