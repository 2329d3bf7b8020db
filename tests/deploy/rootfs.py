"""A root file system like a container's, where we are root: mounts that only the container sees."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

WORKDIR = Path("/app")
VENV = Path("/venv")

_ENTER = r"""
set -e
mount -t tmpfs -o mode=755 tmpfs "$BASE"
mkdir "$BASE/upper" "$BASE/work" "$BASE/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$BASE/upper,workdir=$BASE/work" "$BASE/root"
root=$BASE/root
# The Python of the tests may be where only root can go, which in the image it is not.
printf '%s\n' "$OPENED" | while read -r folder; do chmod o+x "$root$folder"; done
mkdir -p "$root/app" "$root/venv"
printf '%s\n' "$BINDS" | while IFS='|' read -r source target; do
    [ -n "$source" ] || continue
    if [ -d "$source" ]; then mkdir -p "$root$target"
    else mkdir -p "$(dirname "$root$target")"; touch "$root$target"; fi
    mount --bind "$source" "$root$target"
done
if [ -n "$OWN_PIDS" ]; then mount -t proc proc "$root/proc"
else mount --rbind /proc "$root/proc"; fi
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
if [ -n "$READ_ONLY" ]; then
    mount -o remount,ro,bind "$root/venv"
    mount -o remount,ro,bind "$root/app"
    mount -o remount,ro "$root"
fi
exec chroot "$root" "$@"
"""
"""Run in a mount namespace of its own. The upper layer is gone with it; nothing of the machine is
changed."""


@dataclass(frozen=True, slots=True)
class Rootfs:
    """How a container is started."""

    user: str | None = None
    """As Compose has it, `10001:10001`; None for root."""
    read_only: bool = False
    unprivileged: bool = False
    """Without capabilities and without a way to new ones: `cap_drop: [ALL]`."""
    own_pids: bool = False
    """Whether its process has the number 1, as in a container."""
    binds: Mapping[Path, Path] = field(default_factory=dict)
    """What of the machine is seen where in the container."""

    def command(
        self, arguments: Sequence[str], folder: Path, values: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str]]:
        """The command line that runs `arguments` in here, and the environment it needs itself.

        Args:
            folder: the container's working directory.
            values: its environment.
        """
        binds = {folder: WORKDIR, Path(sys.prefix): VENV, **self.binds}
        unshare = ["unshare", "--mount", "--propagation", "private"]
        if self.own_pids:
            unshare += ["--pid", "--fork", "--kill-child"]
        return (
            [
                *(*unshare, "sh", "-c", _ENTER, "sh"),
                *self._within(arguments, values),
            ],
            {
                "PATH": os.environ["PATH"],
                "BASE": str(_base()),
                "BINDS": "\n".join(f"{source}|{target}" for source, target in binds.items()),
                "OPENED": "\n".join(str(path) for path in _closed()),
                "READ_ONLY": "1" if self.read_only else "",
                "OWN_PIDS": "1" if self.own_pids else "",
            },
        )

    def command_beside(
        self, pid: int, arguments: Sequence[str], values: Mapping[str, str]
    ) -> list[str]:
        """The command line that runs `arguments` where the process `pid` runs: `docker exec`."""
        return ["nsenter", f"--target={pid}", "--mount", "--root", *self._within(arguments, values)]

    def _within(self, arguments: Sequence[str], values: Mapping[str, str]) -> list[str]:
        setpriv: list[str] = []
        if self.user is not None:
            user, _, group = self.user.partition(":")
            setpriv += [f"--reuid={user}", f"--regid={group}", "--clear-groups"]
        if self.unprivileged:
            setpriv += ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
        return [
            *("env", "--ignore-environment", f"--chdir={WORKDIR}"),
            *(f"{name}={value}" for name, value in values.items()),
            *(("setpriv", *setpriv) if setpriv else ()),
            *arguments,
        ]


@cache
def available() -> bool:
    """Whether there can be such containers here: root, and a kernel that lets it mount."""
    if os.getuid() != 0:
        return False
    command, environment = Rootfs().command(["true"], Path("/"), {"PATH": os.environ["PATH"]})
    try:
        result = subprocess.run(command, env=environment, capture_output=True, check=False)
        return result.returncode == 0
    except OSError:
        return False


@cache
def _base() -> Path:
    """Where each mounts what it writes to, which the others do not see."""
    folder = Path(tempfile.mkdtemp(prefix="tinyimage-rootfs-"))
    atexit.register(folder.rmdir)
    return folder


def _closed() -> list[Path]:
    """The folders on the way to the Python of the tests that only root may pass."""
    paths = {Path(sys.base_prefix, "bin"), Path(sys.executable).resolve().parent}
    ancestors = {ancestor for path in paths for ancestor in (path, *path.parents)}
    return sorted(path for path in ancestors if not path.stat().st_mode & 0o001)
