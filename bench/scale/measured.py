"""What is measured of a picture: its look by each encoder at several numbers, and through the
engine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.scale.pictures import Kind, Picture
from imaging.formats import Format
from imaging.limits import Limits
from imaging.options import Effort
from imaging.target import Target

if TYPE_CHECKING:
    import pyvips

    from bench.scale.ways import Way
    from imaging.look import Reference

QUALITIES = (30, 40, 50, 60, 65, 70, 75, 80, 85, 89, 90)
"""What is asked for."""

PROMISED = (30, 40, 50, 60, 70, 80, 89, 90)
"""Those that the engine is tried at."""

EFFORTS = {
    Format.JPG: (Effort.BALANCED,),
    Format.WEBP: (Effort.FAST, Effort.BALANCED),
    Format.AVIF: (Effort.FAST, Effort.BALANCED),
    Format.JXL: (Effort.BALANCED,),
}
"""A JPEG at `fast` is the one that all are held against."""

_LOSSLESS = b"VP8L"
"""The chunk of a WebP that was written without loss (RFC 9649, 2.6)."""

_CHUNKS = 64
"""Bytes from the start of a WebP that the name of that chunk is in."""


@dataclass(frozen=True, slots=True)
class Looks:
    """A picture, and SSIMULACRA2 of what became of it."""

    name: str
    kind: Kind
    held_out: bool
    fine: bool
    """Whether the engine takes its colours for fine ones."""
    pixels: int
    plain: Mapping[int, float] = field(default_factory=dict)
    """Of the plain JPEG at each quality."""
    ways: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    """The numbers of each way, and the looks."""
    engine: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    """Format and effort, and the look at each quality; not of files without loss."""

    def to_json(self) -> str:
        """A line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Looks:
        """What `to_json` wrote."""
        fields = json.loads(line)
        numbered = {int(quality): look for quality, look in fields.pop("plain").items()}
        engine = {
            name: {int(quality): look for quality, look in looks.items()}
            for name, looks in fields.pop("engine").items()
        }
        return cls(plain=numbered, engine=engine, **fields | {"kind": Kind(fields["kind"])})


def kept(file: Path | None) -> dict[str, Looks]:
    """What was measured before, by the names of the pictures."""
    if file is None or not file.exists():
        return {}
    looks = map(Looks.from_json, file.read_text().splitlines())
    return {each.name: each for each in looks}


def measure(
    picture: Picture, image: pyvips.Image, ways: Sequence[Way], formats: Sequence[Format]
) -> Looks:
    """The looks of a picture.

    Args:
        ways: the encoders that are tried.
        formats: those that are tried through the engine.
    """
    from bench.scale.ways import plain
    from imaging import look
    from imaging.write import chroma

    reference = look.reference(image)
    fine = chroma.is_fine(image)
    return Looks(
        picture.name,
        picture.kind,
        picture.is_held_out,
        fine,
        image.width * image.height,
        {quality: _score(reference, plain(image, quality)) for quality in QUALITIES},
        {
            way.name: [
                (number, _score(reference, way.encode(image, number))) for number in way.numbers
            ]
            for way in ways
            if way.for_fine in (None, fine) and picture.kind is Kind.PHOTOGRAPH
        },
        {
            f"{format}, {effort}": dict(_through_engine(reference, image, format, effort))
            for format in formats
            for effort in EFFORTS[format]
        },
    )


def _through_engine(
    reference: Reference, image: pyvips.Image, format: Format, effort: Effort
) -> Iterator[tuple[int, float]]:
    from imaging.convert import convert

    data = bytes(image.pngsave_buffer(compression=1, keep="none"))
    for quality in PROMISED:
        result = convert(data, Target(format, quality, Limits(), effort))
        look = _score(reference, result)
        if _LOSSLESS not in result[:_CHUNKS] and look < 100:
            yield quality, look


def _score(reference: Reference, data: bytes) -> float:
    from imaging.decode import decode
    from imaging.steps.colour import to_srgb

    image = to_srgb(decode(data, Limits()).image).colourspace("srgb")
    return reference.score(image.cast("uchar").copy_memory())
