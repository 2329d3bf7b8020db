"""A folder given to another user."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path


def hand_over(folder: Path, user: int, group: int, names: Iterable[str] | None = None) -> None:
    """Have the folder, made if it is not there, and what is in it belong to a user.

    A folder that this user can write to by now is left as it is, with all that is in it. The folder
    itself comes last, so that what was cut off is done again.

    Args:
        names: what in the folder is handed over; None for everything.

    Raises:
        OSError: if the folder cannot be made, is none or is a link, or may not be changed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    descriptor = os.open(folder, flags)
    try:
        if _can_write(os.fstat(descriptor), user, group):
            return
        for name in _names_in(descriptor) if names is None else names:
            _hand_over_all(name, descriptor, user, group)
        os.fchown(descriptor, user, group)
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        os.fchmod(descriptor, mode | stat.S_IRWXU)
    finally:
        os.close(descriptor)


def _names_in(descriptor: int) -> list[str]:
    with os.scandir(descriptor) as entries:
        return [entry.name for entry in entries]


def _can_write(status: os.stat_result, user: int, group: int) -> bool:
    if status.st_uid == user:
        return status.st_mode & stat.S_IRWXU == stat.S_IRWXU
    if status.st_gid == group:
        return status.st_mode & stat.S_IRWXG == stat.S_IRWXG
    return status.st_mode & stat.S_IRWXO == stat.S_IRWXO


def _hand_over_all(name: str, parent: int, user: int, group: int) -> None:
    """What is there under this name, and all below it."""
    if not _hand_over_one(name, parent, user, group):
        return
    for _, folders, files, descriptor in os.fwalk(name, dir_fd=parent, follow_symlinks=False):
        for entry in (*folders, *files):
            _hand_over_one(entry, descriptor, user, group)


def _hand_over_one(name: str, parent: int, user: int, group: int) -> bool:
    """A folder or a file. Links stay as they are, and a file with a second name, which may be
    anywhere: whoever can write here could have put them there for us to hand over.

    Returns:
        whether it is a folder.
    """
    try:
        status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    is_folder = stat.S_ISDIR(status.st_mode)
    if is_folder or (stat.S_ISREG(status.st_mode) and status.st_nlink == 1):
        os.chown(name, user, group, dir_fd=parent, follow_symlinks=False)
    return is_folder
