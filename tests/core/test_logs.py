"""What log lines look like."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import datetime

import pytest

from app.core.config.logs import (
    FIELDS,
    JSONFormatter,
    LineHandler,
    LogFormat,
    TextFormatter,
    configure_logging,
    log_event,
)


def _record(message: str, *args: object, **fields: object) -> logging.LogRecord:
    record = logging.LogRecord("app.x", logging.INFO, __file__, 1, message, args, None)
    record.fields = fields
    return record


def test_a_json_line_has_time_level_message_and_fields() -> None:
    entry = json.loads(JSONFormatter().format(_record("%s is %d", "a", 5, md5="ab", key=None)))
    assert datetime.fromisoformat(entry.pop("time")).tzinfo is not None
    assert entry == {
        "level": "info",
        "logger": "app.x",
        "message": "a is 5",
        "md5": "ab",
        "key": None,
    }


def test_whatever_a_message_holds_it_is_one_line_of_utf8() -> None:
    line = JSONFormatter().format(_record('a\nb\r\n\x00\x1b[31m"\udcff → ж'))
    assert len(line.splitlines()) == 1
    assert "→ ж" in line
    line.encode("utf-8")
    assert json.loads(line)["message"].startswith("a\nb\r\n\x00\x1b[31m")


def test_a_traceback_is_part_of_its_line() -> None:
    record = _record("failed")
    try:
        raise ValueError("for the test")
    except ValueError:
        record.exc_info = sys.exc_info()
    line = JSONFormatter().format(record)
    assert "\n" not in line
    assert "ValueError: for the test" in json.loads(line)["exception"]


def test_a_text_line_has_its_fields_behind_it_without_those_that_are_not_known() -> None:
    line = TextFormatter().format(_record("POST /upload", md5="ab", key=None))
    assert line.endswith("app.x: POST /upload  md5=ab")


@contextlib.contextmanager
def _configured(format: LogFormat) -> Iterator[LineHandler]:
    """Logs as a process of ours does, without the handlers of pytest."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    try:
        configure_logging(format)
        (handler,) = root.handlers
        assert isinstance(handler, LineHandler)
        yield handler
    finally:
        root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize("format", [LogFormat.JSON, LogFormat.TEXT])
def test_an_event_is_the_line_that_a_record_would_be(format: LogFormat) -> None:
    logger = logging.getLogger("app.access")
    fields = {"path": "/%s \udcff", "key": None, "status": 200, "milliseconds": 0.5}
    with _configured(format) as handler:
        handler.setStream(written := io.StringIO())
        log_event(logger, logging.ERROR, "GET /%s", fields)
        logger.log(logging.ERROR, "%s", "GET /%s", extra={FIELDS: fields})
        log_event(logger, logging.DEBUG, "below the level", fields)
    event, record = written.getvalue().splitlines()
    if format is LogFormat.JSON:
        times = [datetime.fromisoformat(json.loads(line)["time"]) for line in (event, record)]
        assert times[0] <= times[1]
        event, record = (line.partition(", ")[2] for line in (event, record))
    else:
        event, record = (line.partition("ERROR")[2] for line in (event, record))
    assert event == record
    assert "GET /%s" in event


def test_a_log_that_nobody_reads_ends_nothing() -> None:
    with _configured(LogFormat.JSON) as handler:
        handler.setStream(closed := io.StringIO())
        closed.close()
        log_event(logging.getLogger("app.access"), logging.INFO, "GET /", {})
