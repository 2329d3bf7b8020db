"""`python -m app`: everything in one. `python -m app web`: the web alone."""

from __future__ import annotations

import argparse

from app import __version__
from app.core.config.command import check_storage, redis_url, start


def main() -> None:
    """Run the role the arguments name, until a signal."""
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    parser.add_argument("role", nargs="?", choices=("all", "web"), default="all")
    parser.add_argument("--version", action="version", version=__version__)
    arguments, settings = start(parser)
    if arguments.role == "web":
        from app.web.server import run_web

        url = redis_url(settings, "the web")
        check_storage(settings, url)
        run_web(settings, url)
    else:
        from app.run.supervisor import run_all

        check_storage(settings, settings.redis.url)
        run_all(settings)


if __name__ == "__main__":
    main()
