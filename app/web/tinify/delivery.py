"""Where a client wants a result stored: an object in a bucket, and the right to write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from app.core.errors import InvalidOption
from app.web.tinify.described import TEXT, an_object

_PATH = re.compile(r"/?(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,221})/(?P<key>.{1,1024})", re.DOTALL)
"""Bucket and key; 222 characters are the most that Google has, and 1024 bytes those of a key."""
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_ACLS = (
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
)
"""The canned ACLs of S3 that can be asked for an object."""
_NO_ACL = "no-acl"
_HEADERS = re.compile(
    r"cache-control|expires|content-disposition|content-language|x-(amz|goog)-meta-[a-z0-9-]{1,64}"
)
"""What an object may be given. Others would change the request."""
_VALUE = re.compile(r"[\x20-\x7e]{0,1024}")

GOOGLE = "https://storage.googleapis.com"

STORE = {
    **an_object(
        {"service": {"type": "string", "enum": ["s3", "gcs"]}, "path": TEXT},
        {
            "aws_access_key_id": TEXT,
            "aws_secret_access_key": TEXT,
            "region": TEXT,
            "endpoint": {**TEXT, "description": "Of another server, for S3."},
            "acl": TEXT,
            "gcp_access_token": TEXT,
            "headers": {"type": "object", "additionalProperties": TEXT},
        },
    ),
    "description": "Put into a bucket: the answer is JSON, with its address in `Location`.",
}
"""Its schema."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An object in a bucket. It is never written down: its fields with secrets are not shown."""

    endpoint: str
    """The server's address, without a slash at its end."""
    bucket: str
    key: str
    headers: Mapping[str, str]
    """Further ones of the object, by names in lower case."""
    region: str = ""
    """Of S3; "" for Google's."""
    key_id: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    """The secret key of S3, or Google's access token."""
    own_endpoint: bool = False
    """Whether the client has named the server."""

    @property
    def path(self) -> str:
        """Bucket and key, escaped as S3's signature has it (Amazon S3 API Reference, "Create a
        signed request")."""
        return f"/{self.bucket}/{quote(self.key, safe='/-_.~')}"

    @property
    def url(self) -> str:
        """Where the object is."""
        return self.endpoint + self.path


def parse_delivery(given: object) -> Delivery:
    """The delivery that a client's JSON describes: `service`, and for `s3` `aws_access_key_id`,
    `aws_secret_access_key`, `region` or an `endpoint`, for `gcs` `gcp_access_token`; in either case
    `path`, and perhaps `headers`; `acl` for S3.

    Raises:
        InvalidOption: if it is something else; the message repeats no value.
    """
    if not isinstance(given, Mapping):
        raise InvalidOption("'store' should be an object")
    match _PATH.fullmatch(_text(given, "path")):
        case None:
            raise InvalidOption("'store.path' should be <bucket>/<path>")
        case found:
            bucket, key = found["bucket"], found["key"]
    # A server may take them for folders, and answer for another object than was signed.
    if any(part in ("", ".", "..") for part in key.split("/")) or not key.isprintable():
        raise InvalidOption("'store.path' should be <bucket>/<path>, without empty parts and dots")
    if len(key.encode()) > 1024:
        raise InvalidOption("'store.path' is too long")
    headers = _headers(given.get("headers"))
    match given.get("service"):
        case "gcs":
            token = _text(given, "gcp_access_token")
            return Delivery(GOOGLE, bucket, key, headers, secret=token)
        case "s3":
            return _s3(given, bucket, key, headers)
    raise InvalidOption("'store.service' should be one of s3, gcs")


def _s3(given: Mapping[str, object], bucket: str, key: str, headers: dict[str, str]) -> Delivery:
    own = given.get("endpoint")
    region = _text(given, "region") if own is None or given.get("region") else "us-east-1"
    if not _REGION.fullmatch(region):
        raise InvalidOption("'store.region' should be a region of S3, such as us-east-1")
    suffix = ".cn" if region.startswith("cn-") else ""
    endpoint = f"https://s3.{region}.amazonaws.com{suffix}"
    if own is not None:
        endpoint = _endpoint(_text(given, "endpoint"))
    acl = given.get("acl")
    if acl not in (None, _NO_ACL):
        if acl not in _ACLS:
            raise InvalidOption(f"'store.acl' should be one of {', '.join((*_ACLS, _NO_ACL))}")
        headers = {**headers, "x-amz-acl": str(acl)}
    key_id, secret = _text(given, "aws_access_key_id"), _text(given, "aws_secret_access_key")
    return Delivery(endpoint, bucket, key, headers, region, key_id, secret, own is not None)


def _endpoint(text: str) -> str:
    text = text.rstrip("/")
    try:
        parts = urlsplit(text)
        plain = parts.scheme in ("http", "https") and parts.hostname and not parts.path
        if plain and not (parts.query or parts.fragment or "@" in parts.netloc):
            return text
    except ValueError:
        pass
    raise InvalidOption("'store.endpoint' should be an address such as https://s3.example.org")


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    # A line break would be a header of its own.
    if not isinstance(value, str) or not 0 < len(value) <= 4096 or not value.isprintable():
        raise InvalidOption(f"'store.{name}' should be a text")
    if name != "path" and not value.isascii():
        raise InvalidOption(f"'store.{name}' should be a text of ASCII letters")
    return value


def _headers(given: object) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InvalidOption("'store.headers' should be an object")
    headers: dict[str, str] = {}
    for name, value in given.items():
        if not _HEADERS.fullmatch(str(name).lower()):
            raise InvalidOption(
                "'store.headers' may have Cache-Control, Expires, Content-Disposition, "
                "Content-Language, x-amz-meta-… and x-goog-meta-…"
            )
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise InvalidOption("'store.headers' should be texts of ASCII letters")
        headers[str(name).lower()] = value.strip()
    return headers
