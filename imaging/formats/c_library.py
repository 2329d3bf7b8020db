"""The functions of a C library that a wheel brings."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Functions = Mapping[str, tuple[Any, tuple[Any, ...]]]
"""The type of the result of each function, and those of its arguments, by its name."""


class CLibrary:
    """Those that are declared, as its attributes."""

    def __init__(self, path: Path, prefix: str, functions: Functions) -> None:
        """
        Args:
            path: of the library, or of one that is linked with it.
            prefix: what the names of all functions begin with; declared they are without it.

        Raises:
            OSError: if it cannot be opened.
            AttributeError: if it has not all of the functions.
        """
        opened = ctypes.CDLL(str(path))
        self._functions: dict[str, Any] = {}
        for name, (result, arguments) in functions.items():
            function = getattr(opened, prefix + name)
            function.restype, function.argtypes = result, arguments
            self._functions[name] = function

    def __getattr__(self, name: str) -> Any:
        return self._functions[name]
