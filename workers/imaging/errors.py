"""Why a picture cannot be converted."""

from __future__ import annotations


class PictureError(Exception):
    """The picture itself is at fault, so trying again would not help. The message is the reason."""
