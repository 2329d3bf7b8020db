"""`python -m app.container [ROLE | COMMAND …]`: the entry point of the image.

A role is all, web, worker or scheduler, with arguments of its own behind it; any other command is
run as it is. Started as root, it makes the folders the user's that the server writes to, as a
folder of the host is often root's, and becomes that user. It ends by becoming the command, so that
nothing of root's goes on.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from app.core import keys
from app.core.command import START_STATUS, USAGE_STATUS, fail
from app.core.logs import configure_logging
from app.core.settings import CONFIG_VARIABLE, ConfigError, Settings, load_settings
from app.core.storage.address import StorageKind, parse_storage_url
from app.folders import hand_over
from app.roles import MODULES, Role, role_of
from app.started import Options, Started

logger = logging.getLogger("app.container")  # and not "__main__"

USER, GROUP = 10001, 10001
"""The image's user, as its Dockerfile makes it."""

CONFIG_FILE = Path("/config/config.yaml")
"""Where the older server had its configuration."""

STORED = (keys.ORIGINALS, keys.RESULTS)
"""What the server makes in its output folder. Whatever else is there is not ours."""

PR_SET_NO_NEW_PRIVS = 38
"""prctl(2)."""


def become_user() -> None:
    """Give up root, if that is what we are, for good. Ends the process with one line if that is
    refused."""
    if os.getuid() != 0:
        return
    try:
        os.setgroups([])
        os.setgid(GROUP)
        os.setuid(USER)
    except OSError as error:
        fail(
            f"started as root, and may not become the user {USER} ({error.strerror}): start the "
            f'container with the user "{USER}:{GROUP}"',
            START_STATUS,
        )
    # No program that it starts gets root back either.
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def main() -> None:
    """Become the command that the arguments name."""
    arguments = sys.argv[1:]
    role = role_of(arguments)
    options = Options.of(arguments) if role is not None else Options()
    config = _config(options)
    if config is not None:
        os.environ[CONFIG_VARIABLE] = str(config)
    settings = None
    if role is not None:
        try:
            settings = load_settings()
        except ConfigError as error:
            fail(str(error), USAGE_STATUS)
        configure_logging(settings.logs.format)
    if os.getuid() == 0:
        if role is not None and settings is not None:
            _hand_over(role, settings)
        text = _read(config)
        become_user()
        if config is not None and not os.access(config, os.R_OK):
            config = _copy(text)
            os.environ[CONFIG_VARIABLE] = str(config)
            if options.config:  # which named the one that cannot be read
                arguments = list(options.others)
    if settings is not None and role is Role.ALL and not settings.redis.url:
        _warn_of_what_is_not_kept(settings.redis.data_dir)
    Started.of(role, options, config).write()
    _execute(_command(arguments))


def _config(options: Options) -> Path | None:
    """The configuration file if it is not config.yaml of the working directory."""
    if named := options.config or os.environ.get(CONFIG_VARIABLE):
        return Path(named) if Path(named).is_file() else None  # the role says so
    return CONFIG_FILE if CONFIG_FILE.is_file() else None


def _read(config: Path | None) -> bytes:
    with contextlib.suppress(OSError):
        return config.read_bytes() if config is not None else b""
    return b""  # not even root may read it, which the role says


def _copy(text: bytes) -> Path:
    """A copy of a configuration file that root alone may read, for the user alone."""
    descriptor, name = tempfile.mkstemp(prefix="tinyimage-", suffix=".yaml")
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    return Path(name)


def _hand_over(role: Role, settings: Settings) -> None:
    """Give the user the folders that this role writes to."""
    wanted: list[tuple[Path, Iterable[str] | None]] = []
    folder = _storage_folder(settings)
    if role is not Role.SCHEDULER and folder is not None:
        wanted.append((folder, STORED))
    if role is Role.ALL and not settings.redis.url:
        wanted.append((settings.redis.data_dir, None))
    for folder, names in wanted:
        try:
            hand_over(folder.absolute(), USER, GROUP, names)
        except OSError as error:
            # It may be usable all the same; if not, the role says so in one line.
            logger.warning("%s cannot be given to the user %d: %s", folder, USER, error.strerror)


def _storage_folder(settings: Settings) -> Path | None:
    """Where pictures are kept as files, if they are."""
    if settings.storage.url is None:
        return settings.server.output_dir
    address = parse_storage_url(settings.storage.url)
    return address.folder if address.kind is StorageKind.FILE else None


def _warn_of_what_is_not_kept(data_dir: Path) -> None:
    folder = data_dir.absolute()
    with contextlib.suppress(OSError):
        if mount_of(folder) == mount_of(Path(__file__)):
            logger.warning(
                "%s is no volume: the pictures that wait are kept as long as this container", folder
            )


def mount_of(path: Path) -> Path:
    """Where the file system is mounted that the path is on.

    Raises:
        OSError: if the kernel does not say.
    """
    lines = Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
    # proc(5): the fifth field, with blanks and their likes in octal.
    points = (
        Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), line.split()[4]))
        for line in lines
    )
    return max(
        (p for p in points if path.is_relative_to(p)), key=lambda p: len(p.parts), default=Path()
    )


def _command(arguments: Sequence[str]) -> list[str]:
    """The command line to become."""
    if not arguments:
        return [sys.executable, "-m", *MODULES[Role.ALL]]
    name, *rest = arguments
    if name in list(Role):
        return [sys.executable, "-m", *MODULES[Role(name)], *rest]
    return list(arguments)


def _execute(command: list[str]) -> None:
    # The first process of a container is the one that must take in orphans, and the one whose
    # signals are not delivered unless it asks for them. tini is made for it.
    if os.getpid() == 1 and (tini := shutil.which("tini")):
        command = [tini, "--", *command]
    try:
        os.execvp(command[0], command)  # noqa: S606 - the command that the operator has given
    except OSError as error:
        fail(f"{command[0]} cannot be run: {error.strerror}", START_STATUS)


if __name__ == "__main__":
    main()
