"""`python -m workers`: as many workers as upload.max_concurrent_tasks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.core.lifeline import follow_parent
from app.core.logs import configure_logging
from app.core.settings import ConfigError, load_settings
from workers.pool import PicturePool


def main() -> int:
    """Run the workers until a signal. Returns the status to exit with."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("--config", type=Path, help="the configuration file (config.yaml)")
    arguments = parser.parse_args()
    follow_parent()
    configure_logging()
    try:
        settings = load_settings(arguments.config)
    except ConfigError as error:
        print(f"tinyimage: {error}", file=sys.stderr)
        return 2
    if settings.redis.url is None:
        print("tinyimage: the workers need a Redis that runs: set REDIS_URL", file=sys.stderr)
        return 2
    PicturePool(settings.redis.url, settings.upload.max_concurrent_tasks).start(
        logging_level="WARNING"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
