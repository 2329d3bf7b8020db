"""Standard input to standard output."""

from __future__ import annotations

import sys
from pathlib import Path

from tinyimage_client.asynchronous import AsyncClient
from tinyimage_client.command.outcome import Outcome, Status
from tinyimage_client.command.report import Report
from tinyimage_client.conversion import Conversion
from tinyimage_client.errors import (
    BadResult,
    ConversionFailed,
    KeyRefused,
    Refused,
)
from tinyimage_client.source import read_source


async def run_stream(
    client: AsyncClient, conversion: Conversion, data: bytes, report: Report
) -> None:
    """Compress the picture, and write the result to standard output. Nothing is written if
    that fails.

    Raises:
        Unreachable, NotAServer, KeyRefused, InvalidOption: if the server cannot be asked.
    """
    async with client:
        await client.about()
        await client.check_conversion(conversion)
        try:
            result = await client.compress_source(read_source(data), conversion)
            sys.stdout.buffer.write(result.data)
            sys.stdout.buffer.flush()
        except KeyRefused:
            raise
        except (Refused, ConversionFailed, BadResult) as error:
            report.end(None, Outcome(Path("-"), Status.FAILED, code=error.code, reason=str(error)))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            report.end(None, Outcome(Path("-"), Status.FAILED, code="file_error", reason=reason))
