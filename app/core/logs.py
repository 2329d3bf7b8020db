"""How all processes log: one line a record to standard error."""

from __future__ import annotations

import logging

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def configure_logging() -> None:
    """Log our own lines from INFO, those of the libraries from WARNING."""
    logging.basicConfig(level=logging.WARNING, format=FORMAT)
    for name in ("app", "workers"):
        logging.getLogger(name).setLevel(logging.INFO)
    # RQ writes four lines for each job at INFO; the job's own line says the same in one.
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
