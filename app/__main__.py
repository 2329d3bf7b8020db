"""`python -m app`: everything in one. `python -m app web`: the web alone."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app import __version__
from app.core.lifeline import follow_parent
from app.core.logs import configure_logging
from app.core.settings import ConfigError, load_settings


def main() -> int:
    """Run the role the arguments name. Returns the status to exit with."""
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    parser.add_argument("role", nargs="?", choices=("all", "web"), default="all")
    parser.add_argument("--config", type=Path, help="the configuration file (config.yaml)")
    parser.add_argument("--version", action="version", version=__version__)
    arguments = parser.parse_args()
    follow_parent()
    configure_logging()
    try:
        settings = load_settings(arguments.config)
    except ConfigError as error:
        print(f"tinyimage: {error}", file=sys.stderr)
        return 2
    if arguments.role == "web":
        from app.web.server import run_web

        return run_web(settings)
    from app.supervisor import run_all

    return run_all(settings)


if __name__ == "__main__":
    sys.exit(main())
