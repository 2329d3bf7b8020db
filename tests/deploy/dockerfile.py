"""The Dockerfile, read: its stages, and what is in the working directory of one."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from dockerfile_parse import DockerfileParser

from bench.launch import ROOT

DOCKERFILE = ROOT / "Dockerfile"

USER, GROUP = 10001, 10001
"""The image's user, as its Dockerfile makes it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One `FROM … AS name` and what follows it, without what it takes over from another stage."""

    name: str
    base: str
    """The image or the stage it starts from."""
    instructions: list[tuple[str, str]]

    def values(self, instruction: str) -> list[str]:
        """The arguments of all instructions of this kind."""
        return [value for name, value in self.instructions if name == instruction]

    @property
    def entrypoint(self) -> list[str]:
        """What is put before any command; [] for nothing."""
        return [part for value in self.values("ENTRYPOINT") for part in json.loads(value)]

    @property
    def command(self) -> list[str]:
        """What runs when no command is given, the entry point included."""
        (value,) = self.values("CMD")
        return [*self.entrypoint, *json.loads(value)]

    @property
    def user(self) -> str | None:
        """The user that it is started as; None for root."""
        return next(iter(self.values("USER")), None)

    @property
    def healthcheck(self) -> list[str]:
        """The health check, as Compose writes one: `["CMD", …]`."""
        (value,) = self.values("HEALTHCHECK")
        return ["CMD", *json.loads(value.partition(" CMD ")[2])]

    @property
    def sources(self) -> list[tuple[str, str]]:
        """What is copied from the repository: from where, to where in the working directory."""
        copies = [shlex.split(value) for value in self.values("COPY")]
        return [
            (source, Path(target, source).name if target.endswith("/") else target)
            for *sources, target in copies
            if not sources[0].startswith("--from")
            for source in sources
        ]

    @property
    def own_folders(self) -> list[str]:
        """The folders of the working directory that belong to the image's user."""
        found = re.search(r"mkdir ([\w ]+?) +&& chown tinyimage:tinyimage \1", self._runs())
        return found[1].split() if found else []

    def _runs(self) -> str:
        return " ".join(" ".join(self.values("RUN")).split())

    def unpack(self, folder: Path) -> Path:
        """Make `folder` like the working directory of this stage. Returns it."""
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        for name in self.own_folders:
            (folder / name).mkdir()
            give_to_image_user(folder / name)
        for source, target in self.sources:
            path = ROOT / source
            # What Python has compiled comes along: the image has it too.
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, folder / target)
        return folder


def give_to_image_user(folder: Path) -> None:
    """Have the folder belong to the image's user, if that can be done: by root."""
    if os.getuid() == 0:
        os.chown(folder, USER, GROUP)


def stages() -> dict[str, Stage]:
    """All stages by name, in the order of the file; the last is what is built by default."""
    found: dict[str, Stage] = {}
    current: Stage | None = None
    # A file name, as the parser would write into a folder it is given.
    for line in DockerfileParser(str(DOCKERFILE)).structure:
        if line["instruction"] == "FROM":
            base, _, name = line["value"].split()
            current = found[name] = Stage(name, base, [])
        elif current is not None and line["instruction"] != "COMMENT":
            current.instructions.append((line["instruction"], line["value"]))
    return found
