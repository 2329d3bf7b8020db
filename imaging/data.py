"""The bytes of a file."""

from __future__ import annotations

Data = bytes | bytearray
