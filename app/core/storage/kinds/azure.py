"""`az://CONTAINER/PREFIX`: Azure Blob Storage."""

from __future__ import annotations

from obstore.store import AzureStore

from app.core.storage.clouds import Cloud
from app.core.storage.kind import Kind

CLOUD = Cloud(
    "az",
    AzureStore,
    lambda container, endpoint, settings: {"endpoint": endpoint} if endpoint else {},
    endpoint_variables=("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
    allow_http_variable="AZURE_ALLOW_HTTP",
)

KIND = Kind((CLOUD.scheme,), "az://CONTAINER/PREFIX", CLOUD.parse, "Azure Blob Storage")
