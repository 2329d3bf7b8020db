"""Originals and results: what a storage is. `opener` opens the one that the settings name."""

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
]
