"""The pictures that q's tables are fitted to and tried on, out of packages of Debian 12."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError
from bench.pictures import shipped
from bench.scale.pictures import LEAST_SIDE, Kind, digest, least_factor

if TYPE_CHECKING:
    from argparse import _SubParsersAction

SHIPPED = (
    *("astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png"),
    *("grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png"),
    *("motorcycle_left.png", "retina.jpg"),
)
"""The photographs in scikit-image's wheel that are large enough."""

_WEBP = re.compile(rb"RIFF(?P<size>....)WEBP", re.DOTALL)
"""The start of a WebP (RFC 9649, 2.4), whose size counts from behind itself."""

_OF_QT = ".rcc"
"""A file of Qt's resources, which has others in it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A folder of pictures."""

    kind: Kind
    name: str
    package: str
    under: str
    """The package's folder that they are in, below `usr/share`."""
    files: Sequence[str]
    """Patterns of their names; of a file of Qt's resources each WebP in it is a picture."""
    most: int | None = None
    """So many of them are taken; None for all."""


SOURCES = (
    Source(
        *(Kind.PHOTOGRAPH, "gcompris", "gcompris-qt-data", "gcompris-qt/rcc"),
        ("clickgame.rcc", "erase.rcc", "explore_*.rcc"),
    ),
    Source(
        *(Kind.PHOTOGRAPH, "lomiri", "lomiri-wallpapers-16.04", "backgrounds"),
        ("[!u]*.jpg",),
    ),
    Source(
        *(Kind.PHOTOGRAPH, "lxqt", "lxqt-themes", "lxqt/wallpapers"),
        (
            *("Butterfly*", "Valendas*", "after*", "appleflower*", "butterfly*", "cloud*"),
            *("drop*", "flowers*", "fog*", "this*"),
        ),
    ),
    Source(Kind.PHOTOGRAPH, "mate", "mate-backgrounds", "backgrounds/mate/nature", ("*.jpg",)),
    Source(
        *(Kind.PHOTOGRAPH, "opencv", "opencv-doc", "doc/opencv-doc/examples"),
        (
            *("data/aloeL.jpg", "data/apple.jpg", "data/baboon.jpg", "data/building.jpg"),
            *("data/ela_original.jpg", "data/graf1.png", "data/leuvenA.jpg", "data/orange.jpg"),
            *("data/rubberwhale1.png", "dnn_superres/butterfly.png", "reg/home.png"),
            "text/scenetext0?.jpg",
        ),
    ),
    Source(Kind.PHOTOGRAPH, "palapeli", "palapeli-data", "palapeli/collection", ("*.jpg",)),
    Source(
        *(Kind.PHOTOGRAPH, "plasma", "plasma-workspace-wallpapers", "wallpapers"),
        tuple(
            f"{name}/contents/images/2560x1600.jpg"
            for name in (
                *("Autumn", "BytheWater", "ColdRipple", "ColorfulCups", "DarkestHour"),
                *("EveningGlow", "FallenLeaf", "Grey", "Kite", "OneStandsOut", "Path"),
                "summer_1am",
            )
        ),
    ),
    Source(Kind.PHOTOGRAPH, "tuxpaint", "tuxpaint-data", "tuxpaint/templates", ("*.jpg",)),
    Source(Kind.GRAPHIC, "gcompris", "gcompris-qt-data", "gcompris-qt/rcc", ("lang.rcc",), 5),
    Source(
        *(Kind.GRAPHIC, "gimp", "gimp-help-en", "gimp/2.0/help/en/images"),
        *(("dialogs/*.png",), 5),
    ),
    Source(
        *(Kind.GRAPHIC, "gnome", "gnome-backgrounds", "backgrounds/gnome"),
        *(("*-l.webp",), 5),
    ),
    Source(
        *(Kind.GRAPHIC, "lxqt", "lxqt-themes", "lxqt/wallpapers"),
        *(("kde*", "plasma*", "simple*", "triangles*", "waves*"), 5),
    ),
    Source(
        *(Kind.GRAPHIC, "opencv", "opencv-doc", "doc/opencv-doc/opencv4/html"),
        *(("*.png",), 5),
    ),
    Source(Kind.GRAPHIC, "ukui", "ukui-wallpapers", "backgrounds", ("*.png", "*.jpg"), 5),
)


def register(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `corpus`."""
    parser = commands.add_parser("corpus", help=__doc__, description=__doc__)
    parser.add_argument("folder", type=Path, help="for `scale`: it is made, and takes 1 GB")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Fetch the packages that are not there yet, and put their pictures into folders.

    Raises:
        BenchError: if this is no Debian, or a package cannot be had.
    """
    folder: Path = arguments.folder
    for source in SOURCES:
        unpacked = _unpacked(folder / "packages", source.package)
        _put(folder, source.kind, source.name, _pictures(unpacked / "usr/share", source))
    files = [(file.name, file.read_bytes()) for file in shipped(SHIPPED)]
    _put(folder, Kind.PHOTOGRAPH, "scikit-image", files)


def _unpacked(packages: Path, package: str) -> Path:
    """The folder with what is in the package."""
    unpacked = packages / package
    if not unpacked.exists():
        packages.mkdir(parents=True, exist_ok=True)
        _call("apt-get", "download", package, folder=packages)
        archive = max(packages.glob(f"{package}_*.deb"), key=lambda file: file.stat().st_mtime)
        partial = f"{package}.part"  # so that one that was broken off is unpacked again
        _call("dpkg", "-x", archive.name, partial, folder=packages)
        (packages / partial).rename(unpacked)
    return unpacked


def _call(*command: str, folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise BenchError(
            f"{command[0]} is missing: the pictures are in Debian's packages"
        ) from None
    if done.returncode:
        raise BenchError(f"{' '.join(command)}: {done.stderr.strip()}")


def _pictures(share: Path, source: Source) -> list[tuple[str, bytes]]:
    """The names and bytes of those that are large enough."""
    under = share / source.under
    found = [
        picture
        for pattern in source.files
        for file in sorted(under.glob(pattern))
        if file.is_file() and not file.is_symlink()
        for picture in _pictures_of(file, under)
        if _is_large(*picture)
    ]
    found.sort(key=lambda picture: digest(f"{source.kind}/{source.name}/{picture[0]}"))
    return found[: source.most]


def _pictures_of(file: Path, under: Path) -> Iterator[tuple[str, bytes]]:
    data = file.read_bytes()
    if file.suffix != _OF_QT:
        yield "-".join(file.relative_to(under).parts), data
        return
    for number, start in enumerate(_WEBP.finditer(data)):
        end = start.end("size") + int.from_bytes(start["size"], "little")
        yield f"{file.stem}-{number:03}.webp", data[start.start() : end]


def _is_large(name: str, data: bytes) -> bool:
    import pyvips

    image = pyvips.Image.new_from_buffer(data, "")
    return bool(min(image.width, image.height) // least_factor(name) >= LEAST_SIDE)


def _put(folder: Path, kind: Kind, source: str, pictures: Sequence[tuple[str, bytes]]) -> None:
    place = folder / kind / source
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name, data in pictures:
        (place / name).write_bytes(data)
    print(f"{kind}/{source}: {len(pictures)}", flush=True)
