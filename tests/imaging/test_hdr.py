"""PQ and HLG become what a viewer without HDR would want: neither grey nor flat."""

from __future__ import annotations

import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Keep
from tests.imaging.samples import distance, photo, pixel, target
from tests.imaging.spaces import (
    TO_BT2020,
    Floats,
    cicp,
    deep_avif,
    deep_png,
    hlg,
    light,
    pq,
    with_nclx,
)
from tests.pictures import opened

BEST = target(Format.PNG, lossless=True)
CURVES = {"PQ": (16, pq), "HLG": (18, hlg)}
BT2020 = 9


def _png(values: Floats, transfer: int) -> bytes:
    return deep_png(values, cicp(BT2020, transfer))


def _avif(values: Floats, transfer: int, bits: int = 10) -> bytes:
    return with_nclx(deep_avif(values, bits), BT2020, transfer)


def _avif_12(values: Floats, transfer: int) -> bytes:
    return _avif(values, transfer, 12)


def _heic(values: Floats, transfer: int) -> bytes:
    height, width, _ = values.shape
    packed = (values * 65535).round().astype(np.uint16).tobytes()
    file, buffer = pillow_heif.from_bytes("RGB;16", (width, height), packed), io.BytesIO()
    file.save(buffer, quality=99, chroma=444)
    return with_nclx(buffer.getvalue(), BT2020, transfer)


FILES = {"PNG": _png, "AVIF 10 bit": _avif, "AVIF 12 bit": _avif_12, "HEIC": _heic}


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("kind", FILES)
def test_a_picture_without_highlights_is_what_it_is_in_srgb(kind: str, curve: str) -> None:
    transfer, encode = CURVES[curve]
    data = FILES[kind](encode(light(photo()) @ TO_BT2020.T), transfer)
    assert distance(opened(convert(data, BEST)), photo()) < (1 if kind == "PNG" else 3)


def _bright() -> Floats:
    """The photograph with lamps in it: white of 203, 406 and 1000 cd/m², and red of 600."""
    shown = light(photo())
    for number, lamp in enumerate(((1, 1, 1), (2, 2, 2), (1000 / 203,) * 3, (3, 0.3, 0.3))):
        shown[:20, 40 * number : 40 * number + 20] = lamp
    return shown


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(
    ("kind", "format", "keep"),
    [
        *((kind, Format.WEBP, ()) for kind in FILES),
        *(("PNG", format, (Keep.ICC,)) for format in Format),
    ],
)
def test_highlights_are_bright_and_colours_stay(
    keep: tuple[Keep, ...], format: Format, kind: str, curve: str
) -> None:
    transfer, encode = CURVES[curve]
    data = FILES[kind](encode(_bright() @ TO_BT2020.T).clip(0, 1), transfer)
    result = opened(convert(data, target(format, 90, keep=keep))).convert("RGB")
    assert "icc_profile" not in result.info
    values = np.asarray(result, int)
    paper, above, most, red = (
        values[5:15, 40 * number + 5 : 40 * number + 15].mean((0, 1)) for number in range(4)
    )
    assert most.min() > 250
    assert above.min() > 242
    assert 215 < paper.min() < above.min()
    assert red[0] > 235
    assert red[0] > red[1] + 90
    rest = np.s_[30:, :]
    twin = np.asarray(photo().convert("HSV"), float)[rest]
    hsv = np.asarray(result.convert("HSV"), float)[rest]
    assert hsv[..., 1].mean() > 0.9 * twin[..., 1].mean()
    assert hsv[..., 2].mean() > 0.85 * twin[..., 2].mean()
    vivid = (twin[..., 1] > 100) & (twin[..., 2] > 80)
    turned = (hsv[..., 0] - twin[..., 0] + 128) % 256 - 128
    assert np.abs(turned[vivid]).mean() < 5


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("corner", range(6))
def test_a_colour_beyond_srgb_keeps_its_hue(corner: int, curve: str) -> None:
    """The primaries of BT.2020 and what lies between them."""
    colour = np.array([(1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1)][corner])
    values = CURVES[curve][1](np.full((32, 32, 3), 0.9) * colour)
    result = opened(convert(_png(values, CURVES[curve][0]), BEST))
    shown = np.array(pixel(result.convert("RGB"), (16, 16)))
    assert shown[colour == 1].min() > 150, shown
    assert shown[colour == 0].max() < 100, shown


@pytest.mark.parametrize("kind", ["LA", "RGBA"])
def test_alpha_stays(kind: str) -> None:
    bands = len(kind)
    values = np.full((32, 32, bands), 0.5806890)  # white of paper
    values[:16, :, -1] = 0.25
    values[16:, :, -1] = 1
    result = opened(convert(_png(values, 16), BEST)).convert("RGBA")
    assert pixel(result, (4, 4))[3] in (63, 64)
    assert pixel(result, (4, 20)) == (255, 255, 255, 255)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("bits", [8, 16])
def test_a_heic_whose_colours_are_multiplied_by_alpha(bits: int, curve: str) -> None:
    transfer, encode = CURVES[curve]
    colours = encode(light(photo()))
    height, width, _ = colours.shape
    alpha = np.full((height, width, 1), 0.5)
    alpha[: height // 2] = 1
    values = np.concatenate([colours * alpha, alpha], axis=2) * (2**bits - 1)
    packed = values.round().astype(np.uint16 if bits == 16 else np.uint8).tobytes()
    mode, buffer = "RGBa;16" if bits == 16 else "RGBa", io.BytesIO()
    pillow_heif.from_bytes(mode, (width, height), packed).save(buffer, quality=99, chroma=444)
    data = with_nclx(buffer.getvalue(), BT2020, transfer)
    assert b"prem" in data
    result = opened(convert(data, BEST)).convert("RGBA")
    straight = _heic(colours, transfer)
    assert distance(result.convert("RGB"), opened(convert(straight, BEST))) < 4
    assert [pixel(result, (4, y))[3] for y in (4, height - 4)] == [255, 128]


@pytest.mark.parametrize("curve", CURVES)
def test_grey(curve: str) -> None:
    transfer, encode = CURVES[curve]
    grey = photo().convert("L")
    values = encode(light(grey.convert("RGB")))[..., :1]
    result = opened(convert(_png(values, transfer), BEST))
    assert distance(result, grey) < 1


def test_resized_and_turned() -> None:
    values = pq(light(photo()) @ TO_BT2020.T)
    for data in (_png(values, 16), _avif(values, 16)):
        result = opened(convert(data, target(Format.PNG, width=80, gravity="attention")))
        assert distance(result, photo().resize((80, 60), Image.Resampling.LANCZOS)) < 6


def test_8_bit_pq() -> None:
    values = (pq(light(photo()) @ TO_BT2020.T) * 255).round().astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "AVIF", quality=98, subsampling="4:4:4")
    data = with_nclx(buffer.getvalue(), BT2020, 16)
    assert distance(opened(convert(data, BEST)), photo()) < 5
