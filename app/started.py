"""What a container was started as, for its health check."""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.core.settings import CONFIG_VARIABLE
from app.roles import Role

QUEUES_VARIABLE = "TINYIMAGE_WORKERS__QUEUES"


@dataclass(frozen=True, slots=True)
class Options:
    """What a role's arguments say that its health check is to know."""

    config: str = ""
    queues: str = ""
    others: Sequence[str] = ()
    """All arguments but `--config`."""

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Self:
        """Those of a command line; none where it cannot be read, which the role says better."""
        config = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
        config.add_argument("--config", default="")
        queues = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
        queues.add_argument("--queues", default="")
        try:
            known, others = config.parse_known_args(arguments)
            return cls(known.config, queues.parse_known_args(others)[0].queues, others)
        except argparse.ArgumentError:
            return cls()


@dataclass(frozen=True, slots=True)
class Started:
    """What runs in this container."""

    role: Role | None
    """None for another command."""
    variables: dict[str, str]
    """Settings that it was started with and that are not in the environment of the container."""

    @classmethod
    def of(cls, role: Role | None, options: Options, config: Path | None) -> Self:
        """What is started now.

        Args:
            config: its configuration file, if that is not the usual one.
        """
        variables = {CONFIG_VARIABLE: str(config or ""), QUEUES_VARIABLE: options.queues}
        return cls(role, {name: value for name, value in variables.items() if value})

    def write(self) -> None:
        """Leave it for `read`. Where nothing can be written the health check is that of the web."""
        with contextlib.suppress(OSError):
            data = {"role": self.role, "variables": self.variables}
            _record().write_text(json.dumps(data), "utf-8")

    @classmethod
    def read(cls) -> Self:
        """What was written; everything in one if nothing was."""
        try:
            data = json.loads(_record().read_text("utf-8"))
            return cls(data["role"] and Role(data["role"]), dict(data["variables"]))
        except (OSError, ValueError, LookupError, TypeError):
            return cls(Role.ALL, {})


def _record() -> Path:
    return Path(tempfile.gettempdir()) / "tinyimage-container.json"
