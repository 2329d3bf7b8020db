"""`python -m workers`: as many workers as upload.max_concurrent_tasks."""

from __future__ import annotations

import argparse

from app.core.command import make_output_dir, redis_url, start
from workers.pool import PicturePool


def main() -> None:
    """Run the workers until a signal."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    _, settings = start(parser)
    url = redis_url(settings, "the worker process")
    make_output_dir(settings)
    PicturePool(url, settings.upload.max_concurrent_tasks).start(logging_level="WARNING")


if __name__ == "__main__":
    main()
