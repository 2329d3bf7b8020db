"""Files that are whole, however the process ends."""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

MARK = ".tinyimage-"
"""In the name of a file that is being written."""

_LONGEST = 255
"""Bytes of a name, on most file systems."""


@dataclass(frozen=True, slots=True)
class Version:
    """What tells one content of a file from the next."""

    inode: int
    size: int
    modified: int
    """Nanoseconds."""

    @classmethod
    def of(cls, status: os.stat_result) -> Version:
        """The version with this status."""
        return cls(status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a new file takes over from another."""

    mode: int
    owner: int
    group: int
    times: tuple[int, int] | None = None
    """Of the last access and change, in nanoseconds; None for now."""

    @classmethod
    def of(cls, status: os.stat_result, *, keep_dates: bool) -> Attributes:
        """Those of the file with this status. The new file can be written by its owner."""
        times = (status.st_atime_ns, status.st_mtime_ns) if keep_dates else None
        return cls(status.st_mode & 0o666 | 0o200, status.st_uid, status.st_gid, times)


def is_temporary(name: str) -> bool:
    """Whether a file of this name is one that is being written, or was when its writer ended."""
    return name.startswith(".") and MARK in name


def write_whole(target: Path, data: bytes, attributes: Attributes | None = None) -> Version:
    """Put the bytes into a file, through a temporary one beside it.

    Args:
        attributes: that the file gets; None for those of any new file.

    Returns:
        what the file now is.

    Raises:
        OSError: if that is not possible. The temporary file is gone then, and what was there
            before is as it was.
    """
    temporary = _beside(target)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    # Nobody else can open it before it is known who may.
    handle = os.open(temporary, flags, 0o666 if attributes is None else 0o600)
    try:
        with os.fdopen(handle, "wb", buffering=0) as file:
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
            if attributes is not None:
                _apply(attributes, handle)
            os.fsync(handle)
            if os.fstat(handle).st_size != len(data):
                raise OSError(None, "the file is not as long as what was written")
        if attributes is not None and attributes.times is not None:
            os.utime(temporary, ns=attributes.times)
        version = Version.of(temporary.stat())
        temporary.replace(target)
        return version
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _beside(target: Path) -> Path:
    ending = f"{MARK}{secrets.token_hex(4)}"
    # A name that is as long as names may be is cut, between two characters.
    room = _LONGEST - len(ending) - 1
    name = os.fsencode(target.name)[:room].decode("utf-8", "ignore")
    return target.with_name(f".{name}{ending}")


def _apply(attributes: Attributes, handle: int) -> None:
    if hasattr(os, "fchown"):
        with contextlib.suppress(OSError):  # root alone may give files away
            os.fchown(handle, attributes.owner, attributes.group)
        os.fchmod(handle, attributes.mode)
