"""docker-compose.yaml, read, and its services as containers without an engine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bench.launch import ROOT
from tests.deploy.containers import Container, in_rootfs
from tests.deploy.dockerfile import Stage, give_to_image_user, stages
from tests.deploy.rootfs import Rootfs

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
    def stage(self) -> Stage:
        """The stage of the Dockerfile that its image is."""
        return stages()[self.data["build"]["target"]]

    @property
    def command(self) -> list[str]:
        """What runs, without the entry point of its image."""
        return list(self.data["command"])

    @property
    def root(self) -> Rootfs:
        """The rights it has."""
        return Rootfs(
            user=self.data["user"],
            read_only=self.data["read_only"],
            unprivileged=self.data["cap_drop"] == ["ALL"],
        )

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
        return self.stage.healthcheck

    def unpack(self, folder: Path, volumes: Path) -> tuple[Path, Rootfs]:
        """Make `folder`, which is not there yet, like the container's own files.

        Args:
            volumes: where the named volumes are, shared by all containers.

        Returns:
            the folder, and the container's rights with the volumes mounted.
        """
        self.stage.unpack(folder)
        binds = {}
        for name, target in self.volumes.items():
            volume, mounted = volumes / name, folder / target.relative_to(WORKDIR)
            if not volume.exists():  # a new volume is as the image has that folder
                volume.mkdir(parents=True)
                give_to_image_user(volume)
            if in_rootfs():
                binds[volume] = target
            else:
                mounted.rmdir()
                mounted.symlink_to(volume)
        return folder, replace(self.root, binds=binds)

    def start(self, folder: Path, volumes: Path, values: Mapping[str, str]) -> Container:
        """A new container in `folder`, with `values` set otherwise than in the file."""
        folder, root = self.unpack(folder, volumes)
        command = [*self.stage.entrypoint, *self.command]
        return Container(command, folder, {**self.environment, **values}, root)


@cache
def services() -> dict[str, Service]:
    """All services by name."""
    data = yaml.safe_load(_DEFAULT.sub(r"\1", COMPOSE_FILE.read_text("utf-8")))
    return {name: Service(name, settings) for name, settings in data["services"].items()}
