"""Errors of obstore and of the system, translated into ours."""

from __future__ import annotations

import errno
import os
import re

from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError

from app.core.errors import StorageError, StorageFull
from app.core.storage.interface import ObjectNotFound

_FULL_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL = re.compile(r"<Code>(XMinioStorageFull|QuotaExceeded\w*|InsufficientCapacity)|: 507 ")
"""The errors of full object stores: MinIO's and Ceph's codes, and the status."""

_NO_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|The specified bucket does not exist")
"""As S3, Azure and Google say it."""

_OS_ERROR = re.compile(r"\(os error (\d+)\)")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_KIND = re.compile(r"kind: (Connect|Timeout)\b")
_QUERY = re.compile(r"\?[^\s\"'<>)]+")
"""Of a URL: it may hold a signature, and Azure's tokens."""


class _Cause(Exception):
    """The message of obstore, without possible secrets; for the log."""


class typed:  # noqa: N801 - used as a function
    """Translates errors of obstore and the system into ours."""

    # A class, as a generator takes twice as many calls, several times in each request.
    __slots__ = ("_key",)

    def __init__(self, key: str | None = None) -> None:
        """
        Args:
            key: of an object that may be missing; without a key its absence is a failure.
        """
        self._key = key

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, BaseError | OSError):
            return
        missing = isinstance(error, NotFoundError | FileNotFoundError)
        if missing and self._key is not None and not _NO_BUCKET.search(str(error)):
            raise ObjectNotFound(self._key) from None
        raise as_storage_error(error) from cause_of(error)


def as_storage_error(error: Exception) -> StorageError:
    """Our error for one of obstore's or the system's. Its message is for clients, and does not
    reveal the place of the objects."""
    number = error.errno if isinstance(error, OSError) else None
    text = str(error)
    # obstore has no attribute for it.
    if number is None and (match := _OS_ERROR.search(text)):
        number = int(match[1])
    if number in _FULL_NUMBERS or _FULL.search(text):
        return StorageFull("The storage is full")
    if number is not None:
        return StorageError(f"The storage fails: {os.strerror(number)}")
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return StorageError("The storage fails: it refuses access")
    if isinstance(error, NotFoundError | FileNotFoundError):
        return StorageError("The storage fails: there is no such place")
    if _KIND.search(text):
        return StorageError("The storage fails: it cannot be reached")
    return StorageError("The storage fails: it answers with an error")


def cause_of(error: Exception) -> Exception:
    """The message of the error in one line. obstore adds a dump of its request, where URLs are
    whole and some stores repeat what was signed."""
    text = str(error)
    line = _QUERY.sub("?…", text.split("\n", 1)[0])
    line, body, _ = line.partition(": <")
    words = [line]
    if body and (code := _CODE.search(text)):
        words.append(code[1])
    elif kind := _KIND.search(text):
        words.append({"Connect": "no connection", "Timeout": "timed out"}[kind[1]])
    return _Cause(": ".join(words))
