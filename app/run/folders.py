"""`python -m app.run.folders ROLE`: the folders that a role writes to, for the image's entry point.

One a line, after its purpose: `pictures /app/output`, `queue /app/data`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from app.core.config.command import USAGE_STATUS, fail
from app.core.config.load import load_settings
from app.core.config.settings import Settings
from app.core.config.sources import ConfigError
from app.core.config.storage import storage_place


def folders_of(role: str, settings: Settings) -> Iterator[tuple[str, Path]]:
    """The purpose and the path of each folder that the role writes to."""
    if role != "scheduler" and (folder := storage_place(settings).folder) is not None:
        yield "pictures", folder.absolute()
    if role == "all" and not settings.redis.url:
        yield "queue", settings.redis.data_dir.absolute()


if __name__ == "__main__":
    try:
        for content, folder in folders_of(sys.argv[1], load_settings()):
            print(content, folder)
    except ConfigError as error:
        fail(str(error), USAGE_STATUS)
