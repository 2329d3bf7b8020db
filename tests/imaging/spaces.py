"""Pictures in other colour spaces, calculated from the standards, and files that say so."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image, ImageCms

Floats = NDArray[np.float64]

WHITE = 203.0
"""cd/m² of paper in HDR (ITU-R BT.2408)."""

# From linear light of sRGB's primaries to that of others of the same white (their specifications).
TO_P3 = np.array(
    [[0.8224621, 0.177538, 0.0], [0.0331941, 0.9668058, 0.0], [0.0170827, 0.0723974, 0.9105199]]
)
TO_BT2020 = np.array(
    [
        [0.6274039, 0.3292830, 0.0433131],
        [0.0690973, 0.9195404, 0.0113623],
        [0.0163914, 0.0880133, 0.8955953],
    ]
)

CHRM_P3 = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
CHRM_SRGB = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def light(image: Image.Image) -> Floats:
    """Linear light of an sRGB picture, white at 1 (IEC 61966-2-1)."""
    values = np.asarray(image.convert("RGB"), dtype=np.float64) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def srgb(linear: Floats) -> Floats:
    """Values from 0 to 1."""
    linear = linear.clip(0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def pq(linear: Floats) -> Floats:
    """Values from 0 to 1 of light whose white is paper's (SMPTE ST 2084)."""
    power = (linear.clip(0) * WHITE / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg(linear: Floats) -> Floats:
    """Values from 0 to 1 of light of BT.2020 whose white is paper's, on a display of 1000 cd/m²
    (ITU-R BT.2100)."""
    shown = linear.clip(0) * WHITE / 1000
    luminance = shown @ np.array([0.2627, 0.6780, 0.0593])
    scene = shown * np.maximum(luminance, 1e-9)[..., None] ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.asarray(
        np.where(
            scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c
        )
    )


def picture(values: Floats) -> Image.Image:
    """Of values from 0 to 1, with 8 bits each."""
    return Image.fromarray((values * 255).round().clip(0, 255).astype(np.uint8))


def deep(values: Floats) -> pyvips.Image:
    """Of values from 0 to 1, with 16 bits each."""
    height, width, bands = values.shape
    packed = (values * 65535).round().clip(0, 65535).astype(np.uint16)
    image = pyvips.Image.new_from_memory(packed.tobytes(), width, height, bands, "ushort")
    return image.copy(interpretation="grey16" if bands < 3 else "rgb16")


def deep_png(values: Floats, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of 16 bits."""
    return with_chunks(deep(values).pngsave_buffer(bitdepth=16), *chunks)


def deep_avif(values: Floats, bits: int, **options: Any) -> bytes:
    """An AVIF of 10 or 12 bits, without loss."""
    image = deep(values) >> 16 - bits << 16 - bits
    image = image.copy(interpretation="rgb16")
    return bytes(
        image.heifsave_buffer(compression="av1", bitdepth=bits, lossless=True, effort=2, **options)
    )


def gama(gamma: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(gamma * 100000))


def chrm(numbers: tuple[int, ...]) -> tuple[bytes, bytes]:
    return b"cHRM", struct.pack(">8I", *numbers)


def cicp(primaries: int, transfer: int, full: int = 1) -> tuple[bytes, bytes]:
    return b"cICP", bytes((primaries, transfer, 0, full))


def with_chunks(data: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with these chunks behind its header."""
    packed = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    return data[:33] + packed + data[33:]


def with_nclx(data: bytes, primaries: int, transfer: int) -> bytes:
    """An AVIF or HEIC that says it is in this space."""
    at = data.index(b"colrnclx") + 8
    assert data.count(b"colrnclx") == 1
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


def in_limited_range(data: bytes) -> bytes:
    """An AVIF or HEIC whose container says that black is 16 and white 235."""
    at = data.index(b"colrnclx") + 14
    assert data[at] & 0x80
    return data[:at] + bytes([data[at] & 0x7F]) + data[at + 1 :]


def with_profile(data: bytes, profile: bytes, method: int = 2) -> bytes:
    """A JP2 whose colr box has a profile (ITU-T T.800, I.5.3.3)."""
    at, header = data.index(b"colr") - 4, data.index(b"jp2h") - 4
    (size,) = struct.unpack_from(">I", data, at)
    box = struct.pack(">I4s3B", 11 + len(profile), b"colr", method, 0, 0) + profile
    (whole,) = struct.unpack_from(">I", data, header)
    whole += len(box) - size
    return (
        data[:header] + struct.pack(">I", whole) + data[header + 4 : at] + box + data[at + size :]
    )


def shown(data: bytes) -> Image.Image:
    """The picture as a viewer shows it that follows what stands in it: a profile, by LittleCMS, or
    nclx, cICP or gAMA, as far as these are used here."""
    image = Image.open(io.BytesIO(data))
    profile = image.info.get("icc_profile")
    points, gamma = _code_points(data), image.info.get("gamma")
    if data.find(b"cICP") < 0 and profile:
        return _through(image, profile)
    values = np.asarray(image.convert("RGB")) / 255
    if points is not None:
        primaries, transfer, full = points
        assert primaries in (1, 2, 12), primaries
        assert transfer in (1, 2, 8, 13), transfer
        if data.find(b"cICP") >= 0 and not full:
            values = ((values * 255 - 16) / 219).clip(0, 1)
        linear = values if transfer == 8 else light(picture(values))
        return picture(srgb(linear @ np.linalg.inv(TO_P3).T if primaries == 12 else linear))
    return picture(srgb(values ** (1 / gamma))) if gamma else image.convert("RGB")


def _code_points(data: bytes) -> tuple[int, int, int] | None:
    at = data.find(b"cICP") + 4
    if at >= 4:
        return data[at], data[at + 1], data[at + 3]
    at = data.find(b"colrnclx") + 8
    return (*struct.unpack_from(">HH", data, at), 1) if at >= 8 else None


def _through(image: Image.Image, profile: bytes) -> Image.Image:
    grey = profile[16:20] == b"GRAY"
    assert grey == (image.mode in ("L", "LA")), f"{profile[16:20]!r} with {image.mode}"
    transformed = ImageCms.profileToProfile(
        image.convert("L" if grey else "RGB"),
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    assert transformed is not None
    return transformed
