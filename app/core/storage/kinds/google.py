"""`gs://BUCKET/PREFIX`: Google Cloud Storage."""

from __future__ import annotations

from obstore.store import GCSStore

from app.core.storage.clouds import Cloud
from app.core.storage.kind import Kind

CLOUD = Cloud(
    "gs",
    GCSStore,
    lambda bucket, endpoint, settings: {"base_url": endpoint} if endpoint else {},
    endpoint_variables=("GOOGLE_BASE_URL",),
    allow_http_variable="GOOGLE_ALLOW_HTTP",
)

KIND = Kind((CLOUD.scheme,), "gs://BUCKET/PREFIX", CLOUD.parse, "Google Cloud Storage")
