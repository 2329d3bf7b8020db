"""`s3://BUCKET/PREFIX`: Amazon S3, and compatible stores."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from obstore.store import S3Store

from app.core.section import Section, Text
from app.core.storage.clouds import Cloud
from app.core.storage.kind import Kind


class S3Settings(Section):
    region: Text = None
    """The region of an S3 bucket; else `AWS_REGION`, or `us-east-1`."""
    path_style: bool = True
    """Whether an S3 bucket is named in the path; `false` puts it before the endpoint's host."""


def _config(bucket: str, endpoint: str | None, settings: Section) -> dict[str, Any]:
    assert isinstance(settings, S3Settings)
    return {
        **({"region": settings.region} if settings.region else {}),
        **({} if settings.path_style else {"virtual_hosted_style_request": True}),
        **({"endpoint": _endpoint(bucket, endpoint, settings.path_style)} if endpoint else {}),
    }


def _endpoint(bucket: str, endpoint: str, path_style: bool) -> str:
    """The endpoint for obstore: with the bucket in its host, unless `path_style` is set."""
    endpoint = endpoint.rstrip("/")
    parts = urlsplit(endpoint)
    if path_style or parts.netloc.startswith(f"{bucket}."):
        return endpoint
    return parts._replace(netloc=f"{bucket}.{parts.netloc}").geturl()


CLOUD = Cloud(
    "s3",
    S3Store,
    _config,
    endpoint_variables=("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    allow_http_variable="AWS_ALLOW_HTTP",
)

KIND = Kind(
    (CLOUD.scheme,),
    "s3://BUCKET/PREFIX",
    CLOUD.parse,
    "Amazon S3 and compatible stores: MinIO, Ceph, R2, Scaleway",
    settings=S3Settings,
)
