"""The kinds of storage, a module for each: its URL, its settings and how it is opened (`KIND`)."""

from __future__ import annotations

from importlib import import_module

from app.core.storage.kind import Kind

NAMES = (
    "file",
    "s3",
    "google",
    "azure",
    "redis",
)
"""Their modules, in the order in which messages name them."""

KINDS: tuple[Kind, ...] = tuple(import_module(f"{__name__}.{name}").KIND for name in NAMES)
