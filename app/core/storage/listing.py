"""The objects of a store, listed by obstore."""

from __future__ import annotations

from collections.abc import AsyncIterator

import obstore
from obstore.store import ObjectStore

from app.core.storage.errors import typed
from app.core.storage.interface import LIST_PAGE, ObjectInfo


async def listed(store: ObjectStore, prefix: str) -> AsyncIterator[list[ObjectInfo]]:
    """The objects below the prefix, as `Storage.list`."""
    with typed():
        async for page in obstore.list(store, prefix, chunk_size=LIST_PAGE):
            yield [ObjectInfo(m["path"], m["size"], m["last_modified"]) for m in page]
