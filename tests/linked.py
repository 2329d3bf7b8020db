"""An environment as script/common.sh makes it, in a twentieth of the CPU: what it has is linked
from the environment of the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from bench.launch import ROOT

BASE_PYTHON = str(
    Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
)
"""That of which the environment of the tests was made."""


def linked_environment(folder: Path, requirements: Sequence[Path]) -> None:
    """Make the environment `folder`, with what is named in the `requirements` alone, and as good as
    installed for a script that asks for it with `PYTHON=BASE_PYTHON`."""
    venv.create(folder, symlinks=True)
    packages = folder / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    for line in "".join(file.read_text() for file in requirements).splitlines():
        if not line.lstrip().startswith("#"):
            _link(Requirement(line), packages)
    stamp = f'. script/common.sh && installed "$@" > {folder}/.installed'
    subprocess.run(["bash", "-c", stamp, "-", BASE_PYTHON, *requirements], cwd=ROOT, check=True)


def _link(requirement: Requirement, packages: Path) -> None:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return
    found = distribution(requirement.name)
    for file in found.files or ():
        if ".." not in file.parts:  # a command, or a page of the manual
            source, link = found.locate_file(file), packages / file
            link.parent.mkdir(parents=True, exist_ok=True)
            # No symbolic link: the decoder may read nothing outside of its environment.
            try:
                os.link(str(source), link)
            except OSError:  # on another file system
                shutil.copy2(str(source), link)
