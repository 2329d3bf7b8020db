"""`file://FOLDER`: a folder of this machine, or of a volume."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote

from app.core.errors import StorageError
from app.core.section import Section
from app.core.storage.files import FileStorage
from app.core.storage.kind import Kind, Server, refuse_secrets


@dataclass(frozen=True, slots=True)
class FilePlace:
    folder: Path
    in_queue: bool = False

    def open(self, settings: Section, server: Server) -> FileStorage:
        folder = self.folder.absolute()
        try:
            return FileStorage(folder)
        except StorageError as error:
            reason = str(error).removeprefix("The storage fails: ")
            raise StorageError(f"the output folder {folder} cannot be written: {reason}") from None


def _parse(parts: SplitResult) -> FilePlace:
    """file:///var/pictures is absolute; file://output and file://output/pictures are not."""
    refuse_secrets(parts)
    if not parts.netloc and parts.path in ("", "/"):
        raise ValueError("should name a folder, as file://output or file:///var/pictures")
    return FilePlace(Path(unquote(parts.netloc + parts.path)))


KIND = Kind(
    ("file",),
    "file://FOLDER",
    _parse,
    "a folder, from the working directory or from the root",
    examples="`file://output`, `file:///var/pictures`",
    shared_by="processes of one machine, or of one volume",
)
