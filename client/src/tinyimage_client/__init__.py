"""Compresses pictures with a TinyImage Server: `Client`, `AsyncClient`, the command `tinyimage`."""

from __future__ import annotations

from tinyimage_client.asynchronous import AsyncClient
from tinyimage_client.blocking import Client
from tinyimage_client.conversion import OptionValue
from tinyimage_client.errors import (
    BadResult,
    ConversionFailed,
    InvalidOption,
    KeyRefused,
    NotAServer,
    Refused,
    SourceChanged,
    TinyImageError,
    Unreachable,
)
from tinyimage_client.progress import Stage, Step
from tinyimage_client.result import Result
from tinyimage_client.server import About

__version__ = "0.1.0"

__all__ = [
    "About",
    "AsyncClient",
    "BadResult",
    "Client",
    "ConversionFailed",
    "InvalidOption",
    "KeyRefused",
    "NotAServer",
    "OptionValue",
    "Refused",
    "Result",
    "SourceChanged",
    "Stage",
    "Step",
    "TinyImageError",
    "Unreachable",
]
