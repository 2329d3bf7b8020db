"""How much memory a process has held."""

from __future__ import annotations

from pathlib import Path


def peak_memory(pid: int) -> int:
    """Bytes of the largest resident size so far (VmHWM in proc(5)); on Linux alone.

    Raises:
        OSError: if there is no such process, or no /proc.
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) * 1024
