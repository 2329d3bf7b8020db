"""The variables that the deployments set."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from app.core.config.load import load_settings
from app.core.config.sources import PLATFORM_VARIABLES

OTHERS = {
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    *("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"),
}
"""What the storage reads by itself."""


def is_known(variable: str) -> bool:
    """Whether something reads a variable of this name."""
    if variable in {*OTHERS, *PLATFORM_VARIABLES}:
        return True
    if variable.removeprefix("TINYIMAGE_").lower() in _settings():
        return True
    match = re.fullmatch(r"TINYIMAGE_([A-Z_]+?)__([A-Z_]+)", variable)
    return match is not None and match[2].lower() in _settings().get(match[1].lower(), {})


@cache
def _settings() -> dict[str, Any]:
    return load_settings().model_dump()
