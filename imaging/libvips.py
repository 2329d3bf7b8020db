"""The libvips that decodes: that of the wheel pyvips-binary, and a look at whether it works.

Where pip finds a C compiler and the headers of a libvips, it builds pyvips's own `_libvips` in
place of the wheel's, and that loads the machine's libvips, of whatever version and features.
"""

from __future__ import annotations

import base64
import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

from imaging.errors import PictureError
from imaging.formats import Format, same_format
from imaging.formats.recognise import picture_type
from imaging.limits import Limits
from imaging.options import Effort
from imaging.quality import DEFAULT_QUALITY, NO_QUALITY
from imaging.target import Target

WHEEL = "pyvips-binary"
"""The distribution that has libvips, whose version is libvips's own."""

MODULE = "_libvips"
"""The module through which pyvips calls libvips, where it is installed: by pyvips or the wheel."""

_LIBRARY = re.compile(r"libvips(?!-cpp)[\w.-]*\.(so|dylib)[\d.]*")

_NUMBERS = re.compile(r"\d+\.\d+\.\d+")


def library_to_open() -> str | None:
    """The path of the wheel's library, where the module is not the wheel's any more; None if pyvips
    finds the wheel's by itself, or there is none.

    It imports what takes 5 MB and is not needed any more then.
    """
    about = _about_wheel()
    if about is None:
        return None  # `fault` says so
    files = _files(about)
    if any(
        path.name.startswith(f"{MODULE}.") and _is_found(path, digest) for path, digest in files
    ):
        return None
    library = next((path for path, _ in files if _LIBRARY.fullmatch(path.name)), None)
    return str(library) if library is not None and library.exists() else None


def open_library(path: str) -> None:
    """Have pyvips go without the module: it opens the library `path` then and calls that through
    cffi, which costs a few microseconds for each call. To be called before pyvips is imported."""
    sys.modules[MODULE] = None  # type: ignore[assignment]  # to import it is an ImportError now
    _open_instead(path)


def fault() -> str | None:
    """Why pictures would not become what they should, with what to do about it; None if they do.

    Converts a picture of a few pixels to every format, in some 20 ms.
    """
    import pyvips

    pinned = pinned_version()
    if pinned is None:
        return f"{WHEEL} is not installed: install requirements.txt"
    version = ".".join(str(pyvips.version(part)) for part in range(3))
    found = _NUMBERS.match(pinned)
    reason = f"libvips is {version}, and not {pinned}"
    if found and found[0] == version:
        failed = _failed_format()
        if failed is None:
            return None
        reason = f"libvips {version} {failed}"
    return f"{reason}: run pip install --force-reinstall --no-deps {WHEEL}=={pinned}"


def _failed_format() -> str | None:
    """The fault, as a sentence about libvips goes on; None if everything works."""
    import pyvips

    from imaging.convert import convert

    try:
        pixels = pyvips.Image.xyz(16, 16).bandjoin(128) * 8
        picture = pixels.cast("uchar").copy(interpretation="srgb").pngsave_buffer()
    except pyvips.Error as error:
        return f"makes no picture ({_line(error)})"
    for format in Format:
        quality = DEFAULT_QUALITY if format.has_quality else NO_QUALITY
        try:
            result = convert(picture, Target(format, quality, Limits(), Effort.FAST))
        except (PictureError, pyvips.Error, MemoryError) as error:
            return f"cannot write {format} ({_line(error) or 'too little memory'})"
        media_type = picture_type(result)
        if media_type is None or same_format(media_type) is not format:
            return f"does not write {format} when it is to"
    return None


def _line(error: Exception) -> str:
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())


def pinned_version() -> str | None:
    """The version of the wheel; None if it is not installed."""
    about = _about_wheel()
    return None if about is None else about.stem.rpartition("-")[2]


def _about_wheel() -> Path | None:
    """The folder that pip keeps for the wheel ("Recording installed projects" of the Python
    Packaging User Guide). importlib.metadata finds it too, and takes 40 ms of CPU to import."""
    pattern = f"{WHEEL.replace('-', '_')}-*.dist-info"
    return next((found for place in sys.path for found in Path(place).glob(pattern)), None)


def _files(about: Path) -> list[tuple[Path, str]]:
    """The wheel's files, each with its hash as `sha256=…`; [] where it is not said."""
    record = about / "RECORD"
    if not record.exists():
        return []
    lines = record.read_text(encoding="utf-8").splitlines()
    parts = [line.rsplit(",", 2) for line in lines]
    return [(about.parent / name, digest) for name, digest, _ in parts]


def _is_found(path: Path, recorded: str) -> bool:
    """Whether this is the module that is imported, as the wheel had it."""
    import hashlib

    spec = importlib.util.find_spec(MODULE)
    if spec is None or spec.origin is None or not recorded or not path.exists():
        return False
    kind, _, digest = recorded.partition("=")
    now = base64.urlsafe_b64encode(hashlib.new(kind, path.read_bytes()).digest()).rstrip(b"=")
    return path.samefile(spec.origin) and digest == now.decode()


def _open_instead(path: str) -> None:
    """Have cffi open the library `path` where pyvips asks for the libvips of the machine."""
    from cffi import FFI

    opened = FFI.dlopen

    def dlopen(self: FFI, name: str | None, flags: int = 0) -> Any:
        return opened(self, path if name and Path(name).name.startswith("libvips") else name, flags)

    FFI.dlopen = dlopen
