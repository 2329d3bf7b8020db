"""Places of waiting jobs, over both queues of pictures."""

from __future__ import annotations

from app.core.picture.priority import Priority

STREAK = 9
"""Interactive jobs that a worker takes in a row while bulk waits; the next one is from bulk."""


def place(index: int, priority: Priority, interactive: int, bulk: int) -> int:
    """The place of a job among all waiting ones: 1 is the next.

    Each worker counts its streak for itself, and interactive pictures may still arrive; so with
    pictures in both queues it is approximate.

    Args:
        index: jobs before it in its own queue.
        interactive: jobs in the interactive queue.
        bulk: jobs in the bulk queue.
    """
    if priority is Priority.BULK:
        return index + min(interactive, STREAK * (index + 1)) + 1
    return index + min(bulk, index // STREAK) + 1
