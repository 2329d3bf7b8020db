"""A picture that is sent: a file, or bytes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tinyimage_client.errors import SourceChanged
from tinyimage_client.files import Version

CHUNK = 128 * 1024
"""Bytes that are read and sent at a time."""


class Source(Protocol):
    """A picture, its length and its MD5."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def md5(self) -> str: ...
    def chunks(self) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class BytesSource:
    """A picture in memory."""

    data: bytes
    md5: str
    name: str = "picture"

    @property
    def size(self) -> int:
        return len(self.data)

    def chunks(self) -> Iterator[bytes]:
        """All of it, in pieces."""
        for start in range(0, len(self.data), CHUNK):
            yield self.data[start : start + CHUNK]


@dataclass(frozen=True, slots=True)
class FileSource:
    """A picture in a file, which is read again each time it is sent."""

    path: Path
    version: Version
    md5: str

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def size(self) -> int:
        return self.version.size

    def chunks(self) -> Iterator[bytes]:
        """All of it, in pieces.

        Raises:
            SourceChanged: if it is not what it was.
            OSError: if it cannot be read.
        """
        with self.path.open("rb", buffering=0) as file:
            left = self.size
            while left:
                data = file.read(min(left, CHUNK))
                if not data:
                    break
                left -= len(data)
                yield data
            if left or Version.of(os.fstat(file.fileno())) != self.version:
                raise SourceChanged("the file has changed while it was sent")

    def check(self) -> None:
        """See that the file is what it was.

        Raises:
            SourceChanged: if it is not.
            OSError: if it is gone.
        """
        if Version.of(self.path.stat()) != self.version:
            raise SourceChanged("the file has changed meanwhile")


def read_source(picture: str | os.PathLike[str] | bytes) -> Source:
    """The picture, read once for its MD5.

    Args:
        picture: a path, or the bytes of a picture.

    Raises:
        OSError: if the file cannot be read.
        SourceChanged: if it changes meanwhile.
    """
    if isinstance(picture, bytes):
        return BytesSource(picture, hashlib.md5(picture, usedforsecurity=False).hexdigest())
    path = Path(picture)
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb", buffering=0) as file:
        version = Version.of(os.fstat(file.fileno()))
        while data := file.read(CHUNK):
            digest.update(data)
        if Version.of(os.fstat(file.fileno())) != version:
            raise SourceChanged("the file has changed while it was read")
    return FileSource(path, version, digest.hexdigest())
