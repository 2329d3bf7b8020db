"""The reader of each kind of file, and the writer of each format."""

from __future__ import annotations

from importlib import import_module

from imaging.codec import Reader, Writer
from imaging.formats import FACTS, Format

READERS: dict[str, Reader] = {
    media_type: import_module(f"imaging.formats.{name}.codec").READER
    for name, facts in FACTS.items()
    for media_type in facts.kinds
}
"""By media type."""

WRITERS: dict[Format, Writer] = {
    format: import_module(f"imaging.formats.{format}.codec").WRITER for format in Format
}
