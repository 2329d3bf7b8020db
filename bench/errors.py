"""Why a measurement has no result."""

from __future__ import annotations


class BenchError(Exception):
    """Something did not do what is measured here. The message is one line that says what."""
