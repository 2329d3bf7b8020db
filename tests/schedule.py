"""Which process of a run of all tests gets which of them.

Each module goes to one process, so that what its tests share is started once. What is dear to start
and shared by several modules, as a fleet, is started once in the whole run. What takes long is
begun early. As long as there is something that takes longest, half of the processes begin with the
rest: much of the former waits.
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

FLEETS = ("s3", "redis")
"""Kinds of servers, as the ids of the tests of the API name them."""

API = {
    "test_upload",
    "test_status",
    "test_download",
    "test_live",
    "test_binary",
    "test_record",
    "test_options",
    "test_details",
    "test_tinify_storage",
}
"""The modules that say what clients of the API see; their tests run against each kind of server."""

TINIFY = {"test_tinify_client", "test_tinify_elsewhere", "test_tinify_node", "test_tinify_requests"}
"""The modules that share a server with keys."""

LONG = re.compile(
    r"tests/(test_|bench/test_(fleet|web|speed)|deploy/test_(container|compose|procfile|requirements))"
    r"|a fleet|tests/(imaging/test_(memory|quality|auto)|core/test_storage_buckets"
    r"|web/test_(health|metrics|slow|contract|batches|links|events|pings|docs_browser|page_\w+)"
    r"|workers/test_(worker|queues|fuzz|fetch|sandbox|deliveries))\.py|client/tests/test_watch\.py"
)
"""Names of what takes a quarter of a minute and more, by the clock."""

LONGEST = re.compile(
    r"tests/(test_(bursts|all_in_one|dashboard|storage_faults)|bench/test_fleet"
    r"|deploy/test_(procfile|requirements)|imaging/test_quality"
    r"|workers/test_(worker|queues|sandbox|deliveries)"
    r"|web/test_(health|metrics|contract|page_network))\.py"
)
"""Names of what takes a minute and more: begun late, one would go on when all others have ended."""


def scope(test: str) -> str:
    """What a test is run together with, in one process: a module, or what shares a server."""
    path, _, name = test.partition("::")
    module = path.rpartition("/")[2].removesuffix(".py")
    if module in API:
        _, _, parameters = name.rstrip("]").partition("[")
        for kind in FLEETS:
            if kind in parameters.split("-"):
                return f"a fleet: {kind}"
    return "the Tinify API" if module in TINIFY else path


def length(name: str) -> int:
    """How long that which is run together takes: 0 to 2."""
    return bool(LONG.match(name)) + bool(LONGEST.match(name))


class ByServer(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process what it is to run together."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        longest = max(map(length, self.workqueue))
        # Else what takes long would be left for the end by both halves.
        early = longest < 2 or self.nodes.index(node) % 2 == 0
        chosen = (max if early else min)(self.workqueue, key=length)
        self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)
