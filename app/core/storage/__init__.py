"""Originals and results: what a storage is. `kinds` lists the kinds there are."""

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
    "as_file",
    "bytes_left",
]
