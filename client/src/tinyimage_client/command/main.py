"""`tinyimage PATH…`: its arguments, and the status it ends with."""

from __future__ import annotations

import asyncio
import math
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

from tinyimage_client import __version__
from tinyimage_client.asynchronous import PATIENCE, AsyncClient
from tinyimage_client.command.arguments import (
    check_folders,
    conversion_of,
    parse_quality,
    settings_of,
)
from tinyimage_client.command.keys import UnreadableKey, find_key
from tinyimage_client.command.names import shown
from tinyimage_client.command.placement import SUFFIX
from tinyimage_client.command.plan import make_plan
from tinyimage_client.command.report import Lines, Report
from tinyimage_client.command.run import run, watch
from tinyimage_client.command.settings import Overwrite
from tinyimage_client.command.sizes import Savings, parse_size
from tinyimage_client.command.stream import run_stream
from tinyimage_client.errors import InvalidOption, KeyRefused, NotAServer, Refused, Unreachable

SOME_FAILED, USAGE, NO_SERVER, STOPPED = 1, 2, 3, 130
"""What the command ends with, beside 0."""

DEFAULT_SERVER = "http://localhost:8080"

MAX_JOBS = 64

T = TypeVar("T")


def parsed(parse: Callable[[str], T]) -> Callable[[click.Context, click.Parameter, Any], T | None]:
    """A callback of click that reads a value, whose errors are those of the usage."""

    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> T | None:
        try:
            return None if value is None else parse(value)
        except ValueError as error:
            raise click.BadParameter(str(error), context, parameter) from None

    return callback


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
# A path for the sake of completion: what it names is looked at picture by picture.
@click.argument("paths", nargs=-1, metavar="PATH…", type=click.Path(readable=False))
@click.option(
    "--server",
    metavar="URL",
    envvar="TINYIMAGE_SERVER",
    default=DEFAULT_SERVER,
    show_default=True,
    help="The server; also TINYIMAGE_SERVER.",
)
@click.option(
    "--key-file",
    metavar="FILE",
    envvar="TINYIMAGE_API_KEY_FILE",
    type=click.Path(path_type=Path),
    help="A file with the API key; also TINYIMAGE_API_KEY_FILE. Else the key is that of "
    "TINYIMAGE_API_KEY, or of the keyring.",
)
@click.option(
    "-f",
    "--format",
    metavar="FORMAT",
    help="Of the results, such as avif; same for that of each picture; auto, or several such as "
    "avif,webp, for the smallest file. webp, with --in-place same.",
)
@click.option(
    "-q",
    "--quality",
    metavar="N",
    callback=parsed(parse_quality),
    help="1 to 100, or auto, auto:high, auto:low.",
)
@click.option("--lossless", is_flag=True, help="Keep every pixel.")
@click.option(
    "--max-bytes",
    metavar="SIZE",
    callback=parsed(parse_size),
    help="The largest result, such as 200KB.",
)
@click.option("--width", type=click.IntRange(min=1), metavar="N", help="Pixels.")
@click.option("--height", type=click.IntRange(min=1), metavar="N", help="Pixels.")
@click.option(
    "--fit",
    metavar="HOW",
    help="How to get to width and height: inside, cover, contain, fill or thumb.",
)
@click.option(
    "--keep", metavar="WHAT", help="Metadata that stays, such as copyright,location,date,icc."
)
@click.option("--effort", metavar="HOW", help="fast, balanced or small.")
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write into this folder, in which the tree is kept.",
)
@click.option("--in-place", is_flag=True, help="Replace the originals, where it saves something.")
@click.option(
    "--suffix",
    metavar="TEXT",
    help=f"Of the names of the results; {SUFFIX} if they are beside the originals.",
)
@click.option(
    "--overwrite",
    type=click.Choice([choice.value for choice in Overwrite]),
    default=Overwrite.ALL.value,
    show_default=True,
    help="Whether results replace files: all, never, or bigger ones.",
)
@click.option("--keep-dates", is_flag=True, help="Give results the dates of their originals.")
@click.option(
    "--min-savings",
    metavar="SIZE",
    callback=parsed(Savings.parse),
    help="Write nothing that saves less, such as 5% or 10KB.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, MAX_JOBS),
    default=8,
    show_default=True,
    metavar="N",
    help="Pictures under way at a time.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be saved, and write nothing.")
@click.option(
    "--watch",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Compress what comes into this folder, until stopped.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="An object for each picture on standard output, one a line.",
)
@click.option("--quiet", is_flag=True, help="Say nothing but what fails.")
@click.version_option(__version__, prog_name="tinyimage")
@click.pass_context
def command(context: click.Context, /, paths: tuple[str, ...], **given: Any) -> None:
    """Compress pictures: files, folders, patterns, or - for standard input to standard output.

    Results are written beside the originals as NAME-tiny.webp, unless -o or --in-place says
    otherwise.

    Ends with 0; 1 if some pictures failed, 2 for wrong arguments, 3 if the server cannot be
    used, 130 if it was stopped.
    """
    if given["folder"]:
        context.exit(_watch(paths, given))
    if not paths:
        raise click.UsageError("Name at least one file or folder.")
    if "-" in paths:
        context.exit(_stream(paths, given))
    settings = settings_of(given)
    check_folders(paths, settings.placement)
    client = _client(given)
    report = _report(given)

    def work() -> Coroutine[Any, Any, None]:
        plan = make_plan(paths, settings.placement, settings.conversion.format)
        return run(client, plan, settings, report)

    context.exit(_ended(report, work))


def _ended(report: Report, work: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Do the work, and say how it ended. Returns the status to exit with."""
    status = 0
    try:
        asyncio.run(work())
    except InvalidOption as error:
        raise click.UsageError(str(error)) from None
    except (Unreachable, NotAServer, Refused) as error:
        status = NO_SERVER
        report.fail(_about_key(error))
    except BrokenPipeError:  # nobody reads the objects any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = STOPPED
    except OSError as error:  # of the folder that is watched
        status = SOME_FAILED
        report.fail(f"{shown(error.filename or '')}: {(error.strerror or str(error)).lower()}")
    except (KeyboardInterrupt, asyncio.CancelledError):
        status = STOPPED
        report.note("stopped")
    report.close()
    return status or (SOME_FAILED if report.totals.failed else 0)


def _about_key(error: Exception) -> str:
    if isinstance(error, KeyRefused):
        return f"{error}: set TINYIMAGE_API_KEY, or --key-file"
    return str(error)


def _watch(paths: tuple[str, ...], given: dict[str, Any]) -> int:
    """A folder, until stopped."""
    folder: Path = given["folder"]
    if paths:
        raise click.UsageError("--watch stands without other files and folders.")
    if given["dry_run"]:
        raise click.UsageError("--dry-run does not go with --watch.")
    if not folder.is_dir():
        raise click.UsageError(f"{folder} is not a folder.")
    settings, report = settings_of(given), _report(given)
    check_folders((str(folder),), settings.placement)
    # Who watches is not there to start it again.
    client = _client(given, patience=math.inf)
    return _ended(report, lambda: watch(client, folder, settings, report))


def _stream(paths: tuple[str, ...], given: dict[str, Any]) -> int:
    """Standard input to standard output."""
    if len(paths) > 1:
        raise click.UsageError("- stands alone.")
    for name in ("output", "in_place", "suffix", "min_savings", "keep_dates", "dry_run", "as_json"):
        if given[name]:
            option = {"as_json": "json"}.get(name, name).replace("_", "-")
            raise click.UsageError(f"--{option} does not go with -.")
    if sys.stdout.isatty():
        raise click.UsageError("The result goes to standard output, which is a terminal.")
    report = Report(dry_run=False, json=False, quiet=True)
    conversion, client = conversion_of(given), _client(given)
    # Read here: a Ctrl-C reaches no thread.
    return _ended(report, lambda: run_stream(client, conversion, sys.stdin.buffer.read(), report))


def _client(given: dict[str, Any], patience: float = PATIENCE) -> AsyncClient:
    server = given["server"]
    try:
        return AsyncClient(server, find_key(server, given["key_file"]), patience=patience)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except UnreadableKey as error:
        click.echo(str(error), err=True)
        sys.exit(NO_SERVER)


def _report(given: dict[str, Any]) -> Report:
    if given["quiet"]:
        return Report(dry_run=given["dry_run"], json=given["as_json"], quiet=True)
    if sys.stderr.isatty():
        # Where there is no terminal the command starts without them.
        from rich.console import Console

        from tinyimage_client.command.bars import Bars

        console = Console(stderr=True)
        if console.is_terminal and not console.is_dumb_terminal:
            return Bars(console, dry_run=given["dry_run"], json=given["as_json"])
    return Lines(dry_run=given["dry_run"], json=given["as_json"], quiet=False)
