"""docker-compose.yaml, read, and its services as containers without an engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.containers import Container
from tests.deploy.dockerfile import stages
from tests.service import ROOT

COMPOSE_FILE = ROOT / "docker-compose.yaml"
WORKDIR = Path("/app")

_DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Service:
    """One service of docker-compose.yaml."""

    name: str
    data: dict[str, Any]
    """Its settings, as they stand there."""

    @property
    def command(self) -> list[str]:
        return list(self.data["command"])

    @property
    def environment(self) -> dict[str, str]:
        """What is set in the container where the shell sets nothing."""
        values = self.data.get("environment", {})
        return {name: value for name, value in values.items() if value is not None}

    @property
    def passed_on(self) -> list[str]:
        """The variables that are taken from the shell."""
        values = self.data.get("environment", {})
        return [name for name, value in values.items() if value is None]

    @property
    def volumes(self) -> dict[str, Path]:
        """Where each named volume is mounted."""
        pairs = (entry.split(":") for entry in self.data.get("volumes", []))
        return {name: Path(target) for name, target in pairs}

    @property
    def healthcheck(self) -> list[str]:
        """Its own health check, or the one of its image."""
        if own := self.data.get("healthcheck"):
            return list(own["test"])
        return stages()[self.data["build"]["target"]].healthcheck

    def unpack(self, folder: Path, volumes: Path) -> Path:
        """Make `folder`, which is not there yet, like the container's own files. Returns it.

        Args:
            volumes: where the named volumes are, shared by all containers.
        """
        stages()[self.data["build"]["target"]].unpack(folder)
        for name, target in self.volumes.items():
            (volumes / name).mkdir(parents=True, exist_ok=True)
            (folder / target.relative_to(WORKDIR)).symlink_to(volumes / name)
        return folder

    def start(self, folder: Path, volumes: Path, values: Mapping[str, str]) -> Container:
        """A new container in `folder`, with `values` set otherwise than in the file."""
        return Container(self.command, self.unpack(folder, volumes), {**self.environment, **values})


@cache
def services() -> dict[str, Service]:
    """All services by name."""
    data = yaml.safe_load(_DEFAULT.sub(r"\1", COMPOSE_FILE.read_text("utf-8")))
    return {name: Service(name, settings) for name, settings in data["services"].items()}
