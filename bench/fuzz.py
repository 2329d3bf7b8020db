"""Real files of every kind that is read, broken in every way: `script/fuzz 2000 1`.

Each case ends in a picture or in an error with a reason. A crash of the decoder is answered and
counted; afterwards the same sandbox still converts a whole picture.
"""

from __future__ import annotations

import io
import random
import struct
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pillow_heif
import tifffile
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from bench.hostile import tiff_of_jpeg
from bench.pictures import shipped
from imaging.convert import convert
from imaging.errors import PictureError
from imaging.formats import Format
from imaging.limits import Limits
from imaging.options import Damaged, Effort, Fit, Gravity, Keep, Options
from imaging.target import Target
from workers.decoder.sandbox import ConversionTimeout, DecoderCrashed, Sandbox

CASES, SEED = 2000, 20240229

SIDE = 48
"""Pixels: what breaks decoders is in the headers, and small pictures are quick."""

SECONDS = 20.0
"""For one case; then it counts as timed out."""

LIMITS = Limits(2_000_000)
"""So that a mutated size is refused, or is quick."""

OPTIONS = (
    Options(),
    Options(),
    Options(keep=tuple(Keep)),
    Options(width=20),
    Options(width=30, height=20, fit=Fit.COVER, gravity=Gravity.ATTENTION),
    Options(lossless=True),
    Options(background="ff0000"),
    Options(damaged=Damaged.REFUSE),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One mutated file, and what it is to become."""

    name: str
    data: bytes
    target: Target


@dataclass(frozen=True, slots=True)
class Report:
    """What came of the cases."""

    outcomes: Counter[str]
    """How many ended how; crashed is one that crashed twice, as a worker tries it twice."""
    crashes: list[str]
    """Cases that crashed the decoder, with the outcome of the second try."""
    peak: int
    """The most bytes of memory that a decoder has held after a case."""


def cases(count: int, seed: int) -> Iterator[Case]:
    """So many cases, the same ones each time."""
    files = sorted(originals().items())
    for number in range(count):
        source = random.Random(f"{seed}/{number}")
        kind, data = files[number % len(files)]
        mutate = source.choice(MUTATIONS)
        target = Target(
            source.choice(list(Format)),
            source.choice((0, 30, 80, 100)),
            LIMITS,
            source.choice((Effort.FAST, Effort.BALANCED)),
            source.choice(OPTIONS),
        )
        name = f"{seed}/{number} {kind} {mutate.__name__.strip('_')} → {target.format}"
        yield Case(name, mutate(bytearray(data), source), target)


def fuzz(count: int, seed: int, decoders: int = 2) -> Report:
    """Convert this number of cases in several decoders at once."""
    pending = cases(count, seed)
    outcomes: Counter[str] = Counter()
    crashes: list[str] = []

    def work(share: Sequence[Case]) -> int:
        peak = 0
        sandbox = Sandbox(SECONDS)
        try:
            for case in share:
                outcome = _outcome(sandbox, case, case.target)
                if outcome.startswith("crashed"):
                    _convert_whole(sandbox)
                    # As a worker does.
                    second = _outcome(sandbox, case, replace(case.target, careful=True))
                    crashes.append(f"{case.name}: {outcome}; then {second}")
                    outcome = second
                outcomes[outcome.split(":")[0]] += 1
                peak = max(peak, sandbox.memory or 0)
            _convert_whole(sandbox)
        finally:
            sandbox.close()
        return peak

    everything = list(pending)
    with ThreadPoolExecutor(decoders) as pool:
        peaks = list(pool.map(work, [everything[n::decoders] for n in range(decoders)]))
    return Report(outcomes, sorted(crashes), max(peaks))


def _outcome(sandbox: Sandbox, case: Case, target: Target) -> str:
    try:
        sandbox.convert(case.data, target)
    except ConversionTimeout:
        return "timed out"
    except PictureError:
        return "failed"
    except DecoderCrashed as error:
        return f"crashed: {error}"
    return "done"


def _convert_whole(sandbox: Sandbox) -> None:
    """See that the next picture is converted as if nothing had been."""
    result = sandbox.convert(originals()["jpeg"], Target(Format.PNG, 0, LIMITS))
    with Image.open(io.BytesIO(result)) as image:
        image.load()
        assert image.size == (SIDE, SIDE)


@cache
def originals() -> dict[str, bytes]:
    """A real, small file of every kind, some with all that may be in it."""
    pillow_heif.register_heif_opener()
    with Image.open(shipped(["coffee.png"])[0]) as image:
        picture = image.convert("RGB").crop((200, 100, 300, 200)).resize((SIDE, SIDE))
    clear = picture.copy()
    clear.putalpha(picture.convert("L"))
    frames = [picture.rotate(angle) for angle in (0, 90, 180)]
    exif = Image.Exif()
    exif[0x0112], exif[0x8298], exif[0x0132] = 6, "someone", "2024:02:29 12:00:00"
    exif.get_ifd(0x8769)[0x9003] = "2024:02:29 12:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    texts = PngInfo()
    texts.add_text("Comment", "text " * 50, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", "<x/>" * 50, zip=True)
    more = {"exif": exif, "icc_profile": profile}
    strip = {"save_all": True, "append_images": frames[1:], "duration": 40}
    return {
        "jpeg": _saved(picture, "JPEG"),
        "jpeg progressive": _saved(picture, "JPEG", progressive=True, quality=90, **more),
        "jpeg cmyk": _saved(picture.convert("CMYK"), "JPEG"),
        "png": _saved(picture, "PNG"),
        "png palette": _saved(picture.quantize(16), "PNG", bits=4, transparency=3),
        "png full": _saved(clear, "PNG", pnginfo=texts, **more),
        "png 16 bit": _saved(picture.convert("L").convert("I;16"), "PNG"),
        "apng": _saved(frames[0], "PNG", **strip),
        "webp": _saved(picture, "WEBP", **more),
        "webp lossless": _saved(clear, "WEBP", lossless=True),
        "webp animation": _saved(frames[0], "WEBP", **strip),
        "gif": _saved(picture, "GIF"),
        "gif animation": _saved(frames[0], "GIF", loop=2, comment=b"text", **strip),
        "tiff": _saved(picture, "TIFF"),
        "tiff lzw": _saved(clear, "TIFF", compression="tiff_lzw", **more),
        "tiff fax": _saved(picture.convert("1"), "TIFF", compression="group4"),
        "tiff jpeg": _saved(picture, "TIFF", compression="jpeg"),
        "tiff float": _float_tiff(picture),
        "tiff lab": _saved(_lab(picture), "TIFF", compression="tiff_lzw"),
        "tiff old-style jpeg": tiff_of_jpeg(_saved(picture, "JPEG"), SIDE),
        "bigtiff": _saved(clear, "TIFF", big_tiff=True),
        "avif": _saved(picture, "AVIF", **more),
        "avif alpha": _saved(clear, "AVIF"),
        "heic": _saved(picture, "HEIF", **more),
        "bmp": _saved(picture, "BMP"),
        "bmp palette": _saved(picture.quantize(16), "BMP"),
        "bmp 16 bit": _bmp(picture, 16, 3, (0xF800, 0x7E0, 0x1F)),
        "bmp 16 bit alpha": _bmp(picture, 16, 6, (0xF00, 0xF0, 0xF, 0xF000)),
        "bmp bit fields": _bmp(picture, 32, 3, (0x3FF00000, 0xFFC00, 0x3FF)),
        "ico": _saved(clear, "ICO", sizes=[(16, 16), (SIDE, SIDE)]),
        "ico bitmap": _saved(clear, "ICO", sizes=[(32, 32)], bitmap_format="bmp"),
        "ico of several": _saved(
            clear, "ICO", sizes=[(16, 16), (32, 32), (SIDE, SIDE)], bitmap_format="bmp"
        ),
        "jpeg 2000": _saved(picture, "JPEG2000"),
        "jpeg 2000 profile": _with_profile(_saved(picture, "JPEG2000"), profile),
        "jpeg 2000 codestream": _saved(picture, "JPEG2000", no_jp2=True),
        "png gamma": _with_chunks(_saved(picture, "PNG"), _GAMMA, _CHROMATICITIES),
        "png hdr": _with_chunks(_saved(picture, "PNG"), (b"cICP", bytes((9, 16, 0, 1)))),
        "avif p3": _with_nclx(_saved(picture, "AVIF"), 12, 13),
        "avif hdr": _with_nclx(_saved(picture, "AVIF"), 9, 18),
        "avif grey limited": _saved(
            picture.convert("L"), "AVIF", subsampling="4:0:0", range="limited"
        ),
        "heic hdr": _with_nclx(_saved(picture, "HEIF"), 9, 16),
        **_jxls(
            _saved(picture, "JPEG", **more), _saved(clear, "PNG"), _saved(frames[0], "PNG", **strip)
        ),
    }


def _jxls(jpeg: bytes, still: bytes, moving: bytes) -> dict[str, bytes]:
    """Files of JPEG XL, which Pillow does not write; none where there is no libjxl."""
    if "jxl" not in Format.__members__.values():
        return {}
    ways = {
        "jxl": (still, Options()),
        "jxl lossless": (still, Options(lossless=True)),
        "jxl of a jpeg": (jpeg, Options(lossless=True)),
        "jxl animation": (moving, Options()),
    }
    return {
        name: convert(data, Target(Format("jxl"), 0, Limits(), Effort.FAST, options))
        for name, (data, options) in ways.items()
    }


def _saved(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def _float_tiff(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    values = np.asarray(image, dtype=np.float32) / 255
    tifffile.imwrite(buffer, values, photometric="rgb", compression="zlib")
    return buffer.getvalue()


def _lab(image: Image.Image) -> Image.Image:
    """The picture as Pillow has CIELab, with its white of ICC profiles."""
    spaces = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return ImageCms.buildTransform(*spaces, "RGB", "LAB").apply(image)


def _bmp(image: Image.Image, bits: int, compression: int, masks: Sequence[int]) -> bytes:
    """A bitmap with bit fields: in each the upper bits of red, green, blue and of grey."""
    values = (*image.split(), image.convert("L"))
    numbers = np.zeros((image.height, image.width), dtype=np.uint32)
    for mask, band in zip(masks, values, strict=False):
        step = mask & -mask
        numbers |= (np.asarray(band, dtype=np.uint32) * (mask // step) // 255) * np.uint32(step)
    rows = numbers[::-1].astype(f"<u{bits // 8}").tobytes()
    size = struct.pack("<IiiHH", 40, image.width, image.height, 1, bits)
    header = size + struct.pack("<IIiiII", compression, len(rows), 0, 0, 0, 0)
    header += struct.pack(f"<{len(masks)}I", *masks)
    at = 14 + len(header)
    return struct.pack("<2sIHHI", b"BM", at + len(rows), 0, 0, at) + header + rows


_GAMMA = (b"gAMA", struct.pack(">I", 100_000))
_CHROMATICITIES = (
    b"cHRM",
    struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000),
)


def _with_chunks(data: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with these chunks behind its header."""
    packed = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    return data[:33] + packed + data[33:]


def _with_nclx(data: bytes, primaries: int, transfer: int) -> bytes:
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


def _with_profile(data: bytes, profile: bytes) -> bytes:
    """A JP2 whose colr box has a profile."""
    at, header = data.index(b"colr") - 4, data.index(b"jp2h") - 4
    (size,) = struct.unpack_from(">I", data, at)
    (whole,) = struct.unpack_from(">I", data, header)
    box = struct.pack(">I4s3B", 11 + len(profile), b"colr", 2, 0, 0) + profile
    start = data[:header] + struct.pack(">I", whole + len(box) - size)
    return start + data[header + 4 : at] + box + data[at + size :]


def _bits(data: bytearray, source: random.Random) -> bytes:
    """A few bits are others."""
    for _ in range(source.randint(1, 12)):
        data[source.randrange(len(data))] ^= 1 << source.randrange(8)
    return bytes(data)


def _head(data: bytearray, source: random.Random) -> bytes:
    """A few bytes of the header are others; the first ones, that say what it is, stay."""
    for _ in range(source.randint(1, 6)):
        data[source.randrange(min(4, len(data) - 1), min(len(data), 400))] = source.choice(
            (0, 1, 0x7F, 0x80, 0xFF, source.randrange(256))
        )
    return bytes(data)


def _lengths(data: bytearray, source: random.Random) -> bytes:
    """A number of two or four bytes is as small or as large as it can be, or one off."""
    size = source.choice((2, 4))
    order = source.choice(("big", "little"))
    at = source.randrange(4, max(5, len(data) - size))
    number = int.from_bytes(data[at : at + size], order)  # type: ignore[arg-type]
    most = 256**size - 1
    number = source.choice((0, 1, most, most // 2, (number + 1) & most, (number - 1) & most))
    data[at : at + size] = number.to_bytes(size, order)  # type: ignore[arg-type]
    return bytes(data)


def _cut(data: bytearray, source: random.Random) -> bytes:
    """The end is missing."""
    return bytes(data[: source.randrange(1, len(data))])


def _hole(data: bytearray, source: random.Random) -> bytes:
    """A piece is missing."""
    at = source.randrange(4, len(data))
    del data[at : at + source.randint(1, 64)]
    return bytes(data)


def _twice(data: bytearray, source: random.Random) -> bytes:
    """A piece stands there twice."""
    at = source.randrange(4, len(data))
    data[at:at] = data[at : at + source.randint(1, 256)]
    return bytes(data)


def _noise(data: bytearray, source: random.Random) -> bytes:
    """A piece is noise."""
    at = source.randrange(4, len(data))
    piece = source.randbytes(source.randint(1, 64))
    data[at : at + len(piece)] = piece
    return bytes(data)


MUTATIONS: tuple[Callable[[bytearray, random.Random], bytes], ...] = (
    *(_bits, _head, _head, _lengths, _lengths),
    *(_cut, _hole, _twice, _noise),
)


def main() -> int:
    """`script/fuzz [CASES [SEED]]`. Returns 1 if a picture crashed two decoders or
    took too long."""
    count, seed = (*map(int, sys.argv[1:]), *(CASES, SEED)[len(sys.argv) - 1 :])
    began = time.monotonic()
    report = fuzz(count, seed)
    print_report(report)
    print(f"{time.monotonic() - began:.0f} s, seed {seed}")
    return 1 if report.outcomes["crashed"] or report.outcomes["timed out"] else 0


def print_report(report: Report) -> None:
    """Say how many ended how, and which crashed."""
    names = {
        "done": "done",
        "failed": "failed",
        "crashed": "crashed twice",
        "timed out": "timed out",
    }
    print(", ".join(f"{report.outcomes[key]} {name}" for key, name in names.items()), end="; ")
    print(f"{len(report.crashes)} crashed a decoder once", end="; ")
    print(f"at most {report.peak / 1e6:.0f} MB in a decoder")
    for crash in report.crashes:
        print(crash)


if __name__ == "__main__":
    sys.exit(main())
