"""Each operation of the HTTP API."""

from __future__ import annotations

from typing import Any

from app import __version__
from app.core import errors
from app.core.conversion import Format
from app.core.options import Fit, Keep
from app.core.queue import JobState
from app.web.docs.operation import ANYONE, Operation
from app.web.docs.responses import (
    STORAGE_UNAVAILABLE,
    UNAUTHORIZED,
    UNAVAILABLE,
    UNFORESEEN,
    USAGE_HEADERS,
    Responses,
    answer,
    failures,
    headers,
    of,
)
from app.web.docs.schemas import EXAMPLE_MD5, OPTIONS, UPLOAD_FORM, Q, Schema, ref

SERVER, PICTURES, SOCKETS = "server", "pictures", "sockets"

TAGS = [
    {"name": PICTURES, "description": "Upload, follow, download."},
    {"name": SERVER, "description": "The server itself."},
    {"name": SOCKETS, "description": "Any number of pictures over one WebSocket."},
]

_WEBP: dict[str, Any] = {"md5": EXAMPLE_MD5, "format": str(Format.WEBP), "quality": 0}
_SMALL = {**_WEBP, "options": {"width": 300, "height": 200, "fit": str(Fit.COVER)}}

_UNKNOWN = of(errors.NotFound, "There is no such picture")

_MD5: Schema = {
    "name": "md5",
    "in": "path",
    "required": True,
    "description": "The MD5 of the uploaded file, in any case; what is none is not found.",
    "schema": {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"},
    "example": EXAMPLE_MD5,
}


def _query(name: str, schema: Schema) -> Schema:
    # Without a default: what a query leaves out is whatever there is.
    schema = {key: value for key, value in schema.items() if key != "default"}
    return {"name": name, "in": "query", "description": schema["description"], "schema": schema}


def _header(name: str, description: str) -> Schema:
    # Without an example, which the page would put into the field.
    schema = {"type": "string"}
    return {"name": name, "in": "header", "description": description, "schema": schema}


HEALTH = Operation(
    name="get_health",
    tag=SERVER,
    summary="Whether the web process answers",
    description="Asks nobody else: a server whose Redis is gone is healthy too. Needs no key.",
    responses={"200": answer("It does.", ref("Health"), {"status": "ok"}), **failures()},
    security=ANYONE,
)

READY = Operation(
    name="get_readiness",
    tag=SERVER,
    summary="Whether a picture would be converted",
    description="Redis, the storage and a live worker that takes pictures are needed. Needs no "
    "key; the answer may be a second old.",
    responses={
        "200": answer("It would.", ref("Health"), {"status": "ok"}),
        **failures(of(errors.NotReady, "workers: no worker takes pictures"), UNFORESEEN),
    },
    security=ANYONE,
)

METRICS = Operation(
    name="get_metrics",
    tag=SERVER,
    summary="What Prometheus collects",
    description="In the text format of Prometheus, or that of OpenMetrics if it is asked for.",
    responses={
        "200": {
            "description": "The metrics.",
            "headers": headers(),
            "content": {
                media_type: {"schema": {"type": "string"}}
                for media_type in ("text/plain", "application/openmetrics-text")
            },
        },
        **failures(UNAUTHORIZED, UNFORESEEN),
    },
)

ABOUT = Operation(
    name="get_about",
    tag=SERVER,
    summary="The server and its limits",
    description="What a client should know before it sends pictures.",
    responses={
        "200": answer(
            "The server and its limits.",
            ref("About"),
            {
                "version": __version__,
                "download_url": "download/",
                "max_upload_size_bytes": 10 * 1024**2,
                "max_concurrent_tasks": 3,
                "max_age": 24,
            },
        ),
        **failures(UNAUTHORIZED, UNFORESEEN),
    },
)

UPLOAD = Operation(
    name="upload_picture",
    tag=PICTURES,
    summary="Send a picture",
    description="The same picture in the same format, quality and options is one job, however "
    "often it is sent; a failed one can be sent again. Other fields are passed over.",
    body={
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": UPLOAD_FORM,
                "examples": {
                    "plain": {
                        "summary": "Plain compression",
                        "value": {"format": str(Format.WEBP)},
                    },
                    "small": {
                        "summary": "A thumbnail",
                        "value": {
                            "format": str(Format.AVIF),
                            "width": 300,
                            "height": 200,
                            "fit": str(Fit.COVER),
                        },
                    },
                },
                "encoding": {"picture": {"contentType": "image/*, application/octet-stream"}},
            }
        },
    },
    responses={
        "200": answer(
            "It is done already: the result can be downloaded.",
            ref("Accepted"),
            {"message": "Image already processed for this format/quality", **_WEBP},
            *USAGE_HEADERS,
        ),
        "202": answer(
            "It is queued, or under way.",
            ref("Accepted"),
            {"message": "Your image is queued for processing", **_SMALL},
            *USAGE_HEADERS,
        ),
        **failures(
            of(errors.InvalidForm, "There is no picture: send it as the file 'picture'"),
            of(
                errors.UnsupportedFormat,
                f"Unsupported format; choose one of {', '.join(Format)}, same",
            ),
            of(errors.InvalidOption, "q should be a number from 1 to 100 (it is '200')"),
            UNAUTHORIZED,
            of(errors.UploadTimeout, "The upload took more than 300 s"),
            of(errors.SizeExceeded, "The picture is larger than 10485760 bytes"),
            of(errors.NotAnImage, "The file is not a picture"),
            of(errors.RateLimited, "More than 100 pictures in 60 seconds; try again"),
            UNFORESEEN,
            of(errors.UnknownCoding, "The Transfer-Encoding should be chunked alone"),
            of(errors.QueueFull, "10000 pictures are waiting; try again"),
            UNAVAILABLE,
            STORAGE_UNAVAILABLE,
            of(errors.StorageFull, "There is no room left in the storage"),
            header_names=USAGE_HEADERS,
        ),
    },
)

STATUS = Operation(
    name="get_status",
    tag=PICTURES,
    summary="How far a picture is",
    description="One entry for each format, quality and set of options that was asked for. "
    "A result that was deleted is not there any more.",
    parameters=[
        _MD5,
        _query(
            "details",
            {
                "type": "boolean",
                "description": "Whether to say all that is known: why it failed, its sizes, its "
                "place among those that wait, where its result is.",
            },
        ),
    ],
    responses={
        "200": answer(
            "Its conversions.",
            {"type": "array", "items": ref("Status"), "minItems": 1},
            [{**_WEBP, "status": str(JobState.DONE)}, {**_SMALL, "status": str(JobState.QUEUED)}],
        ),
        **failures(
            of(errors.InvalidOption, "details should be true or false (it is 'maybe')"),
            UNAUTHORIZED,
            _UNKNOWN,
            UNFORESEEN,
            UNAVAILABLE,
            STORAGE_UNAVAILABLE,
        ),
    },
)

QUEUE = Operation(
    name="get_queue",
    tag=PICTURES,
    summary="What of a picture is not finished",
    description="Not found if nothing of it is waiting or under way.",
    parameters=[_MD5],
    responses={
        "200": answer(
            "Its conversions that are queued or under way.",
            {"type": "array", "items": ref("Waiting"), "minItems": 1},
            [{**_WEBP, "filename": "rocket.jpg"}],
        ),
        **failures(
            UNAUTHORIZED,
            of(errors.NotFound, "Nothing of this picture is waiting"),
            UNFORESEEN,
            UNAVAILABLE,
            STORAGE_UNAVAILABLE,
        ),
    },
)

_FILE_HEADERS = ("ETag", "Last-Modified", "Cache-Control", "Content-Disposition", "Accept-Ranges")

_RESULT_PARAMETERS = [
    _MD5,
    _query(
        "format",
        {
            **ref("AskedFormat"),
            "description": "The format of the result; also `jpeg`, in any case. `same` is the one "
            "that the picture came in.",
        },
    ),
    _query(
        "quality",
        {
            "type": "integer",
            "minimum": 0,
            "maximum": 100,
            "description": "The quality of the result, as its status names it.",
        },
    ),
    _query("q", {**Q, "description": "The `q` that the result was asked for with."}),
    *(_query(name, schema) for name, schema in OPTIONS.items()),
    _header("Range", "The bytes wanted, as one range: `bytes=0-1023`."),
    _header("If-None-Match", "The ETags of what the client has."),
    _header("If-Modified-Since", "The Last-Modified of what the client has, if it has no ETag."),
    _header("If-Match", "The ETags of which one is to be the file's, or the answer is 412."),
    _header("If-Unmodified-Since", "The file is to be no newer, or the answer is 412."),
    _header(
        "If-Range",
        "The range counts only if this is still the ETag, or, where the query says all of format, "
        "quality and options, the Last-Modified.",
    ),
]


def _file(description: str, *header_names: str) -> Schema:
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {
        "description": description,
        "headers": headers(*_FILE_HEADERS, *header_names),
        "content": {format.media_type: binary for format in Format},
    }


def _results() -> Responses:
    return {
        "200": _file("The file."),
        "206": _file("The part of it that was asked for.", "Content-Range"),
        "302": {
            "description": "It is in the storage, under a URL that is good for a few minutes. With "
            "the setting `download.redirect` alone.",
            "headers": headers("Location", "Cache-Control"),
        },
        "304": {
            "description": "The client has it.",
            "headers": headers(*_FILE_HEADERS),
        },
        **failures(
            of(errors.InvalidOption, "width should be pixels, from 1 to 16383 (it is 'wide')"),
            UNAUTHORIZED,
            of(errors.NotFound, "There is no such result"),
            of(errors.PreconditionFailed, "The file is another version"),
            (416, "range_not_satisfiable", "The file has 34567 bytes"),
            UNFORESEEN,
            UNAVAILABLE,
            STORAGE_UNAVAILABLE,
        ),
    }


DOWNLOAD = Operation(
    name="download_picture",
    tag=PICTURES,
    summary="A result",
    description="What the query names, or the one finished last. A query without options gets the "
    "plain result: as long as that waits, or if it has failed, nothing is found, and only where no "
    "plain one was asked for it is one with options. "
    f"Metadata is gone but for what was kept ({', '.join(Keep)}).",
    parameters=_RESULT_PARAMETERS,
    responses=_results(),
)

SOCKET = Operation(
    name="open_socket",
    tag=SOCKETS,
    summary="Open a WebSocket",
    description="OpenAPI has no words for what follows; it is told under *Sockets* above, and its "
    "messages are the schemas whose names begin with `Socket`.",
    responses={
        "101": {"description": "From here on it is a WebSocket."},
        **failures(
            of(errors.Unauthorized, "The API key is not known"),
            (426, "upgrade_required", "Invalid upgrade"),
            UNFORESEEN,
            of(errors.TooManySockets, "As many sockets as may be are open"),
        ),
    },
)
