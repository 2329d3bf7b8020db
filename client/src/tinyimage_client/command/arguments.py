"""What the arguments of the command ask for, together."""

from __future__ import annotations

import os
from typing import Any

import click

from tinyimage_client.command.placement import SUFFIX, Beside, InPlace, Into, Placement
from tinyimage_client.command.settings import Overwrite, Settings
from tinyimage_client.conversion import AUTO, DEFAULT_FORMAT, Conversion
from tinyimage_client.errors import InvalidOption


def parse_quality(text: str) -> int | str:
    """1 to 100, or one of `AUTO`.

    Raises:
        ValueError: if it is neither.
    """
    if (named := text.strip().lower()) in AUTO:
        return named
    if text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= 100:
        return int(text)
    raise ValueError(f"should be from 1 to 100, or one of {', '.join(AUTO)} (it is {text!r})")


def settings_of(given: dict[str, Any]) -> Settings:
    """All of them.

    Raises:
        click.UsageError: if some exclude each other, or one is wrong.
    """
    return Settings(
        conversion_of(given),
        _placement(given),
        overwrite=Overwrite(given["overwrite"]),
        min_savings=given["min_savings"],
        keep_dates=given["keep_dates"],
        dry_run=given["dry_run"],
        jobs=given["jobs"],
    )


def conversion_of(given: dict[str, Any]) -> Conversion:
    """What is to become of the pictures.

    Raises:
        click.UsageError: as `settings_of`.
    """
    if given["lossless"] and given["quality"] is not None:
        raise click.UsageError("--lossless and --quality exclude each other.")
    if given["fit"] and not (given["width"] or given["height"]):
        raise click.UsageError("--fit needs --width or --height.")
    format = given["format"] or ("same" if given["in_place"] else DEFAULT_FORMAT)
    if given["in_place"] and format.strip().lower() != "same":
        raise click.UsageError("--in-place keeps names, and so formats: leave --format out.")
    options = {
        name: given[name] for name in ("max_bytes", "width", "height", "fit", "keep", "effort")
    }
    if given["in_place"]:  # what is there of a picture is no reason to lose what could be mended
        options["damaged"] = "refuse"
    try:
        conversion = Conversion.of(
            format, given["quality"], {**options, "lossless": given["lossless"] or None}
        )
    except InvalidOption as error:
        raise click.UsageError(str(error)) from None
    if not conversion.format:  # the server's default may be another one than the names have
        raise click.UsageError(f"--format names no format (it is {format!r}).")
    return conversion


def _placement(given: dict[str, Any]) -> Placement:
    suffix = given["suffix"]
    if suffix is not None and (os.sep in suffix or "/" in suffix or "\0" in suffix):
        raise click.UsageError("--suffix is a part of a name.")
    if given["in_place"]:
        if given["output"] or suffix is not None:
            raise click.UsageError("--in-place goes with neither --output nor --suffix.")
        return InPlace()
    if given["output"]:
        return Into(given["output"], suffix or "")
    if suffix == "":
        raise click.UsageError("--suffix may be empty with --output alone.")
    return Beside(suffix or SUFFIX)


def check_folders(paths: tuple[str, ...], placement: Placement) -> None:
    """See whether results can go where they are to be.

    Raises:
        click.UsageError: if not.
    """
    if not isinstance(placement, Into):
        return
    if placement.folder.exists() and not placement.folder.is_dir():
        raise click.UsageError(f"{placement.folder} is not a folder.")
    folder = os.path.realpath(placement.folder)
    if any(os.path.realpath(path) == folder for path in paths):
        raise click.UsageError(
            "--output is a folder of originals: leave it out for results beside them."
        )
