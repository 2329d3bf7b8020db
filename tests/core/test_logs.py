"""What log lines look like."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime

from app.core.config.logs import JSONFormatter, TextFormatter


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
