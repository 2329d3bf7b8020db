"""Colours are what the file says that they are, also where it says so without a profile."""

from __future__ import annotations

import io
import random
import struct

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from imaging.codecs import READERS
from imaging.colour.space import coded
from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Keep
from tests.imaging.profiles import adobe_rgb, display_p3
from tests.imaging.samples import distance, photo, target
from tests.imaging.spaces import (
    CHRM_P3,
    CHRM_SRGB,
    TO_P3,
    chrm,
    cicp,
    deep_png,
    gama,
    in_limited_range,
    light,
    picture,
    shown,
    srgb,
    with_chunks,
    with_nclx,
    with_profile,
)
from tests.pictures import encoded, opened

pillow_heif.register_heif_opener()

KEPT = (Keep.ICC,)
BEST = target(Format.PNG, lossless=True)

LINEAR = picture(light(photo()))
P3 = picture(srgb(light(photo()) @ TO_P3.T))
P3_22 = picture((light(photo()) @ TO_P3.T).clip(0, 1) ** (1 / 2.2))

FILES = {
    "linear": with_chunks(encoded(LINEAR, "PNG"), gama(1)),
    "gamma 1.8": with_chunks(encoded(picture(light(photo()) ** (1 / 1.8)), "PNG"), gama(1 / 1.8)),
    "P3 by cHRM": with_chunks(encoded(P3, "PNG"), chrm(CHRM_P3)),
    "P3 by cHRM and gAMA": with_chunks(encoded(P3_22, "PNG"), gama(1 / 2.2), chrm(CHRM_P3)),
    "P3 by cICP": with_chunks(encoded(P3, "PNG"), cicp(12, 13)),
    "linear by cICP": with_chunks(encoded(LINEAR, "PNG"), cicp(1, 8)),
    "P3 in AVIF": with_nclx(encoded(P3, "AVIF", quality=97, subsampling="4:4:4"), 12, 13),
    "P3 in HEIC": with_nclx(encoded(P3, "HEIF", quality=97, chroma=444), 12, 13),
    "P3 in JPEG 2000": with_profile(encoded(P3, "JPEG2000"), display_p3()),
    "P3 in JPEG 2000, any": with_profile(encoded(P3, "JPEG2000"), display_p3(), method=3),
}
"""The same photograph in each, and in sRGB it is `photo`."""


@pytest.mark.parametrize("keep", [(), KEPT])
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("format", list(Format))
def test_what_is_declared_is_shown(format: Format, name: str, keep: tuple[Keep, ...]) -> None:
    data = FILES[name]
    assert distance(opened(data), photo()) > 3, "the test could not fail"
    result = convert(data, target(format, 97, keep=keep))
    # A palette has 256 colours, and 8 bit of linear light few dark ones.
    assert distance(shown(result), photo()) < 4
    if result.find(b"colrnclx\0\x0c") < 0:  # else its own pixels, which could not be made smaller
        kept = bool(keep) and format is not Format.GIF
        assert ("icc_profile" in opened(result).info) == kept


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA"])
@pytest.mark.parametrize("keep", [(), KEPT])
@pytest.mark.parametrize("format", list(Format))
def test_a_gamma_counts_in_every_kind_of_png(
    format: Format, keep: tuple[Keep, ...], mode: str
) -> None:
    stored = picture(light(photo()) ** (1 / 1.4))
    image = stored.quantize(256) if mode == "P" else stored.convert(mode)
    data = with_chunks(encoded(image, "PNG"), gama(1 / 1.4))
    values = np.asarray(image.convert("RGB")) / 255
    wanted = picture(srgb(values**1.4))
    assert distance(opened(data), wanted) > 10
    result = convert(data, target(format, 97, keep=keep))
    assert distance(shown(result), wanted) < 4


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_the_dark_tones_of_16_bits_stay(bands: int) -> None:
    """In 8 bits of linear light they would be a few steps."""
    dark = np.linspace(0, 0.02, 64 * 48).reshape(48, 64, 1).repeat(bands, axis=2)
    if bands in (2, 4):
        dark[..., -1] = 1
    result = opened(convert(deep_png(dark, gama(1)), BEST)).convert("RGB")
    wanted = picture(srgb(dark[..., :1].repeat(3, axis=2)))
    assert np.abs(np.asarray(result, int) - np.asarray(wanted, int)).max() <= 1


@pytest.mark.parametrize(
    "chunks",
    [
        [gama(1 / 2.2)],
        [gama(0.45)],
        [gama(1 / 2.2), chrm(CHRM_SRGB)],
        [gama(0)],
        [(b"gAMA", b"\xff\xff\xff\xff")],
        [(b"gAMA", b"\0")],
        [(b"cHRM", b"\0" * 32)],
        [(b"cHRM", b"\xff" * 32)],
        [chrm((31270, 32900) * 4)],
        [chrm((31270, 32900, 64000, 0, 30000, 60000, 15000, 6000))],
        [cicp(1, 13)],
        [cicp(2, 2)],
        [cicp(255, 255)],
        [(b"cICP", b"\x0c")],
        [(b"sRGB", b"\0"), gama(1)],
        [gama(1), (b"sRGB", b"\0"), chrm(CHRM_P3)],
    ],
)
def test_what_says_srgb_or_nothing_changes_no_pixel(chunks: list[tuple[bytes, bytes]]) -> None:
    data = with_chunks(encoded(photo(), "PNG"), *chunks)
    for keep in ((), KEPT):
        result = opened(convert(data, target(Format.WEBP, lossless=True, keep=keep)))
        assert distance(result, photo()) == 0
        assert "icc_profile" not in result.info


def test_of_several_in_a_png_the_first_in_rank_counts() -> None:
    other = with_chunks(encoded(P3, "PNG", icc_profile=adobe_rgb()), gama(1))
    ranked = with_chunks(other, cicp(12, 13))
    assert distance(shown(convert(ranked, BEST)), photo()) < 1
    assert (
        distance(shown(convert(ranked, target(Format.PNG, lossless=True, keep=KEPT))), photo()) < 1
    )
    profile = with_chunks(encoded(P3, "PNG", icc_profile=display_p3()), gama(1), chrm(CHRM_SRGB))
    assert distance(shown(convert(profile, BEST)), photo()) < 1
    plain = with_chunks(encoded(photo(), "PNG", icc_profile=display_p3()), cicp(1, 13))
    assert distance(opened(convert(plain, BEST)), photo()) == 0


@pytest.mark.parametrize("keep", [(), KEPT])
def test_a_png_in_limited_range_by_cicp(keep: tuple[Keep, ...]) -> None:
    values = srgb(light(photo()) @ TO_P3.T)
    stored = picture((values * 219 + 16) / 255)
    data = with_chunks(encoded(stored, "PNG"), cicp(12, 13, full=0))
    assert distance(shown(convert(data, target(Format.PNG, lossless=True, keep=keep))), photo()) < 1


def test_the_colours_stay_where_what_refers_to_other_items_is_broken() -> None:
    """The box of references may be cut off, or hold anything: here it is the last of the file."""

    def box(kind: bytes, *parts: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(b"".join(parts)), kind) + b"".join(parts)

    colr = box(b"colr", b"nclx", struct.pack(">HHHB", 12, 13, 0, 0x80))
    ipma = box(b"ipma", bytes(4), struct.pack(">IHBB", 1, 1, 1, 1))
    before = box(b"pitm", bytes(4), b"\0\1") + box(b"iprp", box(b"ipco", colr), ipma)

    def file(references: bytes) -> bytes:
        return box(b"meta", bytes(4), before, box(b"iref", references))

    whole = bytes(4) + box(b"dimg", struct.pack(">3H", 1, 1, 2)) + box(b"prem", b"\0\1\0\1\0\2")
    read = READERS["image/avif"].said(file(whole))
    assert (read.space, read.premultiplied) == (coded(12, 13), True)
    some = random.Random(1)
    broken = [whole[:length] for length in range(len(whole))]
    for _ in range(2000):
        damaged = bytearray(whole[: some.randrange(1, len(whole) + 1)])
        for _ in range(some.randrange(1, 4)):
            damaged[some.randrange(len(damaged))] = some.choice((0, 1, 7, 13, 0xFF))
        broken.append(bytes(damaged))
    for kind in ("image/avif", "image/heic"):
        for references in broken:
            assert READERS[kind].said(file(references)).space == coded(12, 13), references


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_a_profile_counts_before_nclx(kind: str) -> None:
    plain = encoded(P3, kind, quality=97)
    profile = encoded(P3, kind, quality=97, icc_profile=display_p3())
    at = profile.find(b"colrnclx")
    if at >= 0:
        profile = with_nclx(profile, 9, 8)
    assert distance(shown(convert(profile, BEST)), photo()) < 4
    assert distance(shown(convert(plain, BEST)), photo()) > 3


def test_a_picture_of_tiles_has_the_colours_of_its_own() -> None:
    """The box of another item does not count: here of the thumbnail or the alpha."""
    image = P3.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    data = encoded(image, "AVIF", quality=97, subsampling="4:4:4")
    data = with_nclx(data, 12, 13)
    result = opened(convert(data, BEST)).convert("RGBA")
    opaque = np.asarray(result)[..., 3] > 0
    wanted = np.asarray(photo(), int)
    assert np.abs(np.asarray(result, int)[..., :3] - wanted)[opaque].mean() < 4


def _without_colr(data: bytes) -> bytes:
    """An AVIF whose bitstream alone says its colours, with the header of that in av1C too."""
    content = data.index(b"mdat") + 4
    start = data.index(b"\x0a", content)  # a sequence header with its size
    unit = data[start : start + 2 + data[start + 1]]
    at = data.index(b"av1C") - 4
    grown = bytearray(data[: at + 12] + unit + data[at + 12 :])
    for name in (b"meta", b"iprp", b"ipco", b"av1C"):
        place = grown.index(name) - 4
        (size,) = struct.unpack_from(">I", grown, place)
        struct.pack_into(">I", grown, place, size + len(unit))
    place = grown.index(struct.pack(">I", content))
    struct.pack_into(">I", grown, place, content + len(unit))
    return bytes(grown.replace(b"colrnclx", b"skipnclx"))


def test_grey_in_limited_range_by_its_bitstream_alone() -> None:
    grey = photo().convert("L")
    data = _without_colr(encoded(grey, "AVIF", quality=95, subsampling="4:0:0", range="limited"))
    assert distance(opened(data), grey) < 2
    assert distance(opened(convert(data, BEST)), grey) < 2


@pytest.mark.parametrize("format", list(Format))
@pytest.mark.parametrize("mode", ["L", "LA"])
@pytest.mark.parametrize("range_", ["limited", "full"])
def test_a_grey_avif_has_its_black_and_white(format: Format, mode: str, range_: str) -> None:
    image = Image.linear_gradient("L").resize((160, 120)).convert(mode)
    if mode == "LA":
        image.putalpha(255)
    data = encoded(image, "AVIF", quality=97, subsampling="4:0:0", range=range_)
    result = opened(convert(data, target(format, 97)))
    values = np.asarray(result.convert("L"), int)
    assert values.min() < 6
    assert values.max() > 249
    assert np.abs(values - np.asarray(image.convert("L"), int)).mean() < 2


def test_a_colour_avif_in_limited_range_is_not_spread_twice() -> None:
    data = encoded(photo(), "AVIF", quality=97, subsampling="4:4:4", range="limited")
    assert distance(opened(convert(data, BEST)), photo()) < 2


@pytest.mark.parametrize("bits", [8, 10])
def test_a_grey_heic_in_limited_range(bits: int) -> None:
    ramp = np.linspace(16 / 255, 235 / 255, 64)[None].repeat(48, axis=0)
    if bits == 8:
        data = encoded(Image.fromarray((ramp * 255).round().astype(np.uint8)), "HEIF", quality=98)
    else:
        packed = (ramp * 255 * 256).astype(np.uint16).tobytes()
        file, buffer = pillow_heif.from_bytes("L;16", (64, 48), packed), io.BytesIO()
        file.save(buffer, quality=98)
        data = buffer.getvalue()
    values = np.asarray(opened(convert(in_limited_range(data), BEST)).convert("L"), int)
    assert np.abs(values[10] - np.linspace(0, 255, 64)).max() < 5


@pytest.mark.parametrize("keep", [(), KEPT])
@pytest.mark.parametrize("format", [Format.PNG, Format.WEBP, Format.GIF, Format.JPG])
@pytest.mark.parametrize("by", ["cHRM", "cICP", "profile"])
def test_an_animated_png_has_its_colours_too(
    by: str, format: Format, keep: tuple[Keep, ...]
) -> None:
    frames = {"save_all": True, "append_images": [P3.rotate(180)], "duration": 100}
    profile = {"icc_profile": display_p3()} if by == "profile" else {}
    data = encoded(P3, "PNG", **frames, **profile)
    chunks = {"cHRM": [chrm(CHRM_P3)], "cICP": [cicp(12, 13)], "profile": []}
    result = convert(with_chunks(data, *chunks[by]), target(format, 97, keep=keep))
    assert distance(shown(result), photo()) < 4
