"""The open sockets and event streams of this process."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator

from app.core.errors import TooManySockets
from app.web.guard.address import client_network


class Sockets:
    """Counts open sockets and event streams, in all and of each address."""

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._open: Counter[str] = Counter()
        self._total = 0

    def free(self, address: str) -> bool:
        """Whether this address may open another socket."""
        mine = self._open[client_network(address)]
        return self._total < self._most and mine < self._most_per_address

    @contextlib.contextmanager
    def opened(self, address: str) -> Iterator[None]:
        """Count one as open.

        Raises:
            TooManySockets: if too many are open.
        """
        if not self.free(address):
            raise TooManySockets("Too many open sockets; try again later")
        network = client_network(address)
        self._open[network] += 1
        self._total += 1
        try:
            yield
        finally:
            self._total -= 1
            self._open[network] -= 1
            if not self._open[network]:
                del self._open[network]
