"""How all processes log: one line a record to standard error, as text or as JSON."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TextIO

TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"

FIELDS = "fields"
"""The attribute of a record that holds the fields of its message, by name."""


_encoder = json.JSONEncoder(ensure_ascii=False, default=str)
"""Made once: `json.dumps` makes one for each call with options."""


class LogFormat(StrEnum):
    """How log lines are written."""

    AUTO = "auto"  # text on a terminal, JSON elsewhere
    JSON = "json"  # one JSON object a line
    TEXT = "text"  # for people


class JSONFormatter(logging.Formatter):
    """One JSON object a record: time, level, logger, message, its fields, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        further: dict[str, Any] = {}
        if record.exc_info:
            further["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            further["stack"] = record.stack_info
        fields = getattr(record, FIELDS, {})
        return self.line(
            record.created,
            record.levelname,
            record.name,
            record.getMessage(),
            {**fields, **further} if further else fields,
        )

    def line(
        self, created: float, level: str, name: str, message: str, fields: Mapping[str, Any]
    ) -> str:
        """The same of what a record would hold."""
        line = _encoder.encode(
            {
                "time": datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds"),
                "level": level.lower(),
                "logger": name,
                "message": message,
                **fields,
            }
        )
        if line.isascii():
            return line
        # A lone surrogate, as in a file name that is not UTF-8, can only be written as an escape.
        return line.encode("utf-8", "backslashreplace").decode("utf-8")


class TextFormatter(logging.Formatter):
    """The record for people, followed by its fields."""

    def __init__(self) -> None:
        super().__init__(TEXT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """The line without its traceback."""
        fields: Mapping[str, Any] = getattr(record, FIELDS, {})
        known = [f"{name}={value}" for name, value in fields.items() if value is not None]
        return "  ".join([super().formatMessage(record), *known])


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes each record to standard error."""

    def write_line(self, level: int, name: str, message: str, fields: Mapping[str, Any]) -> bool:
        """Write an event as its log record would be written.

        Returns:
            whether it could; only JSON is made without a record.
        """
        formatter = self.formatter
        if not isinstance(formatter, JSONFormatter):
            return False
        level_name = logging.getLevelName(level)
        line = formatter.line(time.time(), level_name, name, message, fields)
        # As in logging itself, a failed write must not end the process.
        with self.lock, contextlib.suppress(OSError, ValueError):  # type: ignore[union-attr]
            self.stream.write(line + self.terminator)
            self.stream.flush()
        return True


def log_event(logger: logging.Logger, level: int, message: str, fields: Mapping[str, Any]) -> None:
    """Log a message with its fields, as `logger.log` with `extra` does: in a third of the time, as
    there is a line for each request."""
    if not logger.isEnabledFor(level):
        return
    handlers = logger.root.handlers
    if (
        len(handlers) == 1
        and not logger.handlers
        and isinstance(handlers[0], LineHandler)
        and handlers[0].write_line(level, logger.name, message, fields)
    ):
        return
    logger.log(level, "%s", message, extra={FIELDS: fields})


def configure_logging(format: LogFormat) -> None:
    """Log our own lines from INFO, those of libraries from WARNING."""
    as_text = format is LogFormat.TEXT or (format is LogFormat.AUTO and sys.stderr.isatty())
    # Found out for each record by the library, and written by neither of our formats.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = LineHandler()
    handler.setFormatter(TextFormatter() if as_text else JSONFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in ("app", "workers"):
        logging.getLogger(name).setLevel(logging.INFO)
    # RQ writes four lines for each job at INFO; the job's own line says the same in one.
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
