"""How all processes log: one line a record to standard error, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"

FIELDS = "fields"
"""The attribute of a record that holds what belongs to its message, by name."""


_encoder = json.JSONEncoder(ensure_ascii=False, default=str)
"""Made once: `json.dumps` makes one for each call that is not plain."""


class LogFormat(StrEnum):
    """How log lines are written."""

    AUTO = "auto"  # text on a terminal, JSON elsewhere
    JSON = "json"  # one JSON object a line
    TEXT = "text"  # for people


class JSONFormatter(logging.Formatter):
    """One JSON object a record: time, level, logger, message, its fields, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            entry["stack"] = record.stack_info
        # A lone surrogate, as of a file name that is no UTF-8, has no form outside of an escape.
        line = _encoder.encode(entry)
        return line.encode("utf-8", "backslashreplace").decode("utf-8")


class TextFormatter(logging.Formatter):
    """The record as people read it, its fields behind it."""

    def __init__(self) -> None:
        super().__init__(TEXT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """The line without its traceback."""
        fields: Mapping[str, Any] = getattr(record, FIELDS, {})
        known = [f"{name}={value}" for name, value in fields.items() if value is not None]
        return "  ".join([super().formatMessage(record), *known])


def configure_logging(format: LogFormat) -> None:
    """Log our own lines from INFO, those of the libraries from WARNING."""
    as_text = format is LogFormat.TEXT or (format is LogFormat.AUTO and sys.stderr.isatty())
    # Found out for each record by the library, and written by neither of our formats.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler()
    handler.setFormatter(TextFormatter() if as_text else JSONFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in ("app", "workers"):
        logging.getLogger(name).setLevel(logging.INFO)
    # RQ writes four lines for each job at INFO; the job's own line says the same in one.
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
