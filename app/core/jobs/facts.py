"""The details of a conversion beside its status, from the `meta` of its job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.errors import ProcessingFailed, Where, codes_at
from imaging.formats import Format
from imaging.measures import Measures

NO_MEASURES = Measures()

UNKNOWN_REASON = "the picture cannot be converted"
"""In place of a reason that is not for clients."""

_INTERNAL = re.compile(
    r"Traceback|\[Errno|0x[0-9a-fA-F]{6,}|<[\w.]+ object|(?<![\w.])/[\w.-]+/|\b[A-Za-z]:\\"
)
"""Internals that may be in a library's message: a trace, an object, an address, a path."""

_LONGEST = 300
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A fact is None if it is not known (yet): a job of an older version has less."""

    media_type: str | None = None
    """Of the original."""
    format: Format | None = None
    """Of the result; of one of several formats once it is done."""
    original_bytes: int | None = None
    result_bytes: int | None = None
    milliseconds: float | None = None
    """Of the conversion, without waiting and storing."""
    measures: Measures = NO_MEASURES
    error: str | None = None
    """The reason of its failure, a sentence."""
    error_code: str = ProcessingFailed.code

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> Facts:
        """The facts in a job's `meta`. An invalid value counts as unknown."""
        milliseconds = meta.get("milliseconds")
        return cls(
            media_type=_text(meta.get("media_type")),
            format=_format(meta.get("format")),
            original_bytes=_count(meta.get("size_in")),
            result_bytes=_count(meta.get("size_out")),
            milliseconds=milliseconds if isinstance(milliseconds, int | float) else None,
            measures=Measures.from_dict(meta.get("measures")),
            error=_text(meta.get("error")),
            error_code=_code(meta.get("error_code")),
        )


def reason(text: str | None) -> str:
    """A reason as clients may read it: one line, without internals of the server."""
    lines = (text or "").splitlines()
    if not lines or not lines[0] or _INTERNAL.search(lines[0]):
        return UNKNOWN_REASON
    return lines[0] if len(lines[0]) <= _LONGEST else f"{lines[0][:_LONGEST]}…"


def _code(value: object) -> str:
    # Most jobs have no error, and the search through all errors would double the time.
    if isinstance(value, str) and value in codes_at(Where.CONVERSION):
        return value
    return ProcessingFailed.code


def _format(value: object) -> Format | None:
    return Format(value) if isinstance(value, str) and value in _FORMATS else None


_FORMATS = frozenset(Format)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
