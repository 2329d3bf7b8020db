"""The operations of the HTTP API on pictures."""

from __future__ import annotations

from typing import Any

from app import __version__
from app.core import errors
from app.core.errors import Where
from app.core.jobs.job import JobState
from app.web.docs.operation import PICTURES, SERVER, Operation
from app.web.docs.responses import USAGE_HEADERS, Responses, answer, headers
from app.web.docs.schemas import EXAMPLE_MD5, OPTIONS, UPLOAD_FORM, Q, Schema, ref
from app.web.http.waiting import MAX_WAIT_SECONDS
from imaging.formats import Format
from imaging.options import Fit, Keep

_WEBP: dict[str, Any] = {"md5": EXAMPLE_MD5, "format": str(Format.WEBP), "quality": 0}
_SMALL = {**_WEBP, "options": {"width": 300, "height": 200, "fit": str(Fit.COVER)}}

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


ABOUT = Operation(
    name="get_about",
    tag=SERVER,
    summary="The server and its limits",
    description="What a client should know before it sends pictures.",
    where=Where.KEYED,
    answers={
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
                            "format": str(Format.WEBP),
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
    answers={
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
    },
    where=Where.KEYED | Where.UPLOAD,
    error_headers=USAGE_HEADERS,
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
        _query(
            "wait",
            {
                "type": "integer",
                "minimum": 0,
                "maximum": MAX_WAIT_SECONDS,
                "description": "Seconds to wait at most until each conversion is done or has "
                "failed. The answer then says how far they are, whichever came first.",
            },
        ),
        _header(
            "Prefer",
            "`wait=20` does what `?wait=20` does (RFC 7240); an answer that has followed it has "
            "`Preference-Applied`. A value that cannot be followed is passed over.",
        ),
    ],
    answers={
        "200": answer(
            "Its conversions.",
            {"type": "array", "items": ref("Status"), "minItems": 1},
            [{**_WEBP, "status": str(JobState.DONE)}, {**_SMALL, "status": str(JobState.QUEUED)}],
            "Preference-Applied",
        ),
    },
    where=Where.KEYED | Where.PICTURE,
    errors={errors.InvalidOption: "details should be true or false (it is 'maybe')"},
)

QUEUE = Operation(
    name="get_queue",
    tag=PICTURES,
    summary="What of a picture is not finished",
    description="Not found if nothing of it is waiting or under way.",
    parameters=[_MD5],
    answers={
        "200": answer(
            "Its conversions that are queued or under way.",
            {"type": "array", "items": ref("Waiting"), "minItems": 1},
            [{**_WEBP, "filename": "rocket.jpg"}],
        ),
    },
    where=Where.KEYED | Where.PICTURE,
    errors={errors.NotFound: "Nothing of this picture is waiting"},
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


_RESULTS: Responses = {
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
    answers=_RESULTS,
    where=Where.KEYED | Where.PICTURE | Where.RESULT,
    errors={
        errors.InvalidOption: "width should be pixels, from 1 to 16383 (it is 'wide')",
        errors.NotFound: "There is no such result",
    },
)
