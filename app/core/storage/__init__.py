"""Originals and results: the interface of a storage. `kinds` lists the kinds."""

from app.core.storage.interface import (
    LIST_PAGE,
    PART_SIZE,
    PROBE,
    START_CHECK,
    Content,
    Expiring,
    ObjectInfo,
    ObjectNotFound,
    Opener,
    Presigner,
    Storage,
    StoredObject,
    Threaded,
    as_file,
    bytes_left,
)

__all__ = [
    "LIST_PAGE",
    "PART_SIZE",
    "PROBE",
    "START_CHECK",
    "Content",
    "Expiring",
    "ObjectInfo",
    "ObjectNotFound",
    "Opener",
    "Presigner",
    "Storage",
    "StoredObject",
    "Threaded",
    "as_file",
    "bytes_left",
]
