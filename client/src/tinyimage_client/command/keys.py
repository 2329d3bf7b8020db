"""The API key: from the environment, a file or the keyring, never from the command line."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

KEY_VARIABLE = "TINYIMAGE_API_KEY"

SERVICE = "tinyimage"
"""In the keyring; its user is the address of the server."""


class UnreadableKey(Exception):
    """The key cannot be read. The message is one line."""


def find_key(url: str, file: Path | None) -> str | None:
    """The key for the server, or None.

    Args:
        file: that has the key in its first line; it wins over the environment, and that over the
            keyring.

    Raises:
        UnreadableKey: if the file cannot be read, or is empty.
    """
    if file is not None:
        return _from_file(file)
    return os.environ.get(KEY_VARIABLE, "").strip() or _from_keyring(url)


def _from_file(file: Path) -> str:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UnreadableKey(f"the key in {file}: {reason}") from None
    if not lines or not lines[0].strip():
        raise UnreadableKey(f"the key in {file}: the first line is empty")
    return lines[0].strip()


def _from_keyring(url: str) -> str | None:
    """What the keyring has, if the extra `keyring` is installed."""
    try:
        keyring = importlib.import_module("keyring")
        key = keyring.get_password(SERVICE, url.rstrip("/"))
    except Exception:  # a keyring that is locked, or none: its errors are its own
        return None
    return str(key) if key else None
