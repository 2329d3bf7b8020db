"""The schemas that requests and answers are made of; formats, bounds and defaults as the code has
them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.core import errors
from app.core.errors import Where, codes_at
from app.core.jobs.job import JobState
from app.core.jobs.links import ID_PATTERN, MAX_SOURCE_URL, LinkState
from app.core.picture.batch import BATCH, NAME_PATTERN
from app.core.picture.priority import Priority
from app.core.picture.recipients import WEBHOOK, EventType
from app.core.picture.widths import MAX_WIDTHS, WIDTHS
from app.outgoing.webhook import MAX_URL
from app.web.errors import SANIC_CODES
from imaging import options
from imaging.declared import Option
from imaging.formats import AUTO, DEFAULT_FORMAT, EXAMPLES, SAME, Format
from imaging.quality import DEFAULT_QUALITY
from imaging.values import Bytes, Choice, Flag, Several

Schema = dict[str, Any]

EXAMPLE_MD5 = "511130d2072cc744a1fa5015bc23557a"
EXAMPLE_URL = "https://example.org/rocket.jpg"
EXAMPLE_ID = f"fetch-{'0123456789abcdef' * 2}"


WITHDRAWN = "withdrawn"
"""The status of a conversion that was taken back."""

MAX_ARCHIVE_FILES = 10_000
"""Files of one archive: the list at its end is in memory, some 600 bytes for each."""


def ref(name: str, kind: str = "schemas") -> Schema:
    """What names a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _number(description: str, minimum: int, maximum: int | None = None, **more: Any) -> Schema:
    schema = {"type": "integer", "description": description, "minimum": minimum, **more}
    return schema if maximum is None else {**schema, "maximum": maximum}


def _choice(description: str, values: Iterable[str]) -> Schema:
    return {"type": "string", "description": description, "enum": [str(value) for value in values]}


def _named(name: str, description: str, **more: Any) -> Schema:
    # Some generators of clients read nothing beside $ref, as in OpenAPI 3.0.
    return {"allOf": [ref(name)], "description": description, **more}


def _object(description: str, required: Schema, optional: Schema | None = None) -> Schema:
    schema = {
        "type": "object",
        "description": description,
        "properties": {**required, **(optional or {})},
    }
    # It may be left out, and may not be empty.
    return {**schema, "required": list(required)} if required else schema


def _asked(option: Option[Any]) -> Schema:
    """An option as a form or a query has it."""
    kind = option.kind
    if isinstance(kind, Choice):
        # Not with `default`: some clients send what that says, and there are options that are an
        # error without another one.
        return _named(kind.choices.__name__, option.sentence)
    schema = {**kind.schema(), "description": option.sentence}
    return schema | {"default": option.default} if isinstance(kind, Flag) else schema


def _kept(option: Option[Any]) -> Schema:
    """An option as answers tell it."""
    match option.kind:
        case Choice(choices=choices):
            return ref(choices.__name__)
        case Several(choices=choices):
            return {"type": "array", "items": ref(choices.__name__)}
    return {"description": option.sentence, **option.kind.kept()}


def _sent(option: Option[Any]) -> Schema:
    """An option as a message of a socket has it."""
    match option.kind:
        case Several(sentence=sentence):
            return {"description": sentence, "oneOf": [_asked(option), _kept(option)]}
        case Bytes():
            return {"description": option.sentence, "oneOf": [_asked(option), _kept(option)]}
    return _asked(option)


OPTIONS: dict[str, Schema] = {name: _asked(option) for name, option in options.OPTIONS.items()}
"""The options as requested, in a form or a query."""

QUALITY = _number(
    f"The quality of `{Format.JPG}`; other formats ignore it. "
    "A value that is not a number from 1 to 100 counts as the default.",
    1,
    100,
    default=DEFAULT_QUALITY,
)

FORMAT: Schema = {
    "description": "The format of the result, or several with commas between them: the result is "
    "of that which gives the smallest file at the same look.",
    "oneOf": [ref("AskedFormat"), ref("AskedFormats")],
    "default": str(DEFAULT_FORMAT),
}

PRIORITY = _named(
    "Priority",
    f"When it is converted: `{Priority.BULK}` pictures after `{Priority.INTERACTIVE}` ones.",
    default=str(Priority.INTERACTIVE),
)

BATCH_FIELD = _text(
    "The name of a batch in which it is: `GET /batch/{name}` counts and lists that.",
    pattern=f"^{NAME_PATTERN}$",
    example="holiday",
)

WEBHOOK_FIELD = _text(
    "A URL that is told of the end, where the operator allows it: see *Webhooks* above. Ports and "
    "users as with `url`. It is not part of the conversion.",
    format="uri",
    maxLength=MAX_URL,
    example="https://example.org/hooks",
)

PRESET = _text(
    "The name of a set of options that the operator has named; options beside it win.",
    example="thumb",
)

_UPLOADED: dict[str, Schema] = {
    "preset": PRESET,
    **{"format": FORMAT, "quality": QUALITY, "priority": PRIORITY},
    WEBHOOK: WEBHOOK_FIELD,
    BATCH: BATCH_FIELD,
    WIDTHS: _text(
        f"Pixels, {MAX_WIDTHS} numbers at most, with commas between them: the picture is converted "
        "once for each, and never enlarged. In place of `width` and `height`, and not with `trim`.",
        example="320,640,1280",
    ),
}
"""Further fields of an upload, beside the options."""

_URL = _text(
    "The address of the picture, in place of the file: `http` or `https`, on port 80, 443 or from "
    "1024, without a user and a password. Needs `fetch.enabled`.",
    maxLength=MAX_SOURCE_URL,
    example=EXAMPLE_URL,
)

_LINK_ID = _text(
    "Of a picture that was uploaded by its URL.", pattern=f"^{ID_PATTERN}$", example=EXAMPLE_ID
)

_MD5 = ref("Md5")

_CONVERSION: Schema = {
    "md5": _MD5,
    "format": ref("ToldFormat"),
    "quality": _number("1 to 100; 0 where the server chooses it.", 0, 100),
}

_CHOSEN: Schema = {"options": ref("ChosenOptions")}

DETAILS: dict[str, Schema] = {
    "filename": _text("As it was sent.", example="rocket.jpg"),
    "original_type": _text("The media type of the original.", example="image/jpeg"),
    "original_bytes": _number("Of the original.", 0),
    "original_width": _number("Pixels of the original as it is shown.", 1),
    "original_height": _number("Pixels of the original as it is shown.", 1),
    "result_bytes": _number("Of the result.", 0),
    "result_width": _number("Pixels of the result.", 1),
    "result_height": _number("Pixels of the result.", 1),
    "placeholder": _text(
        "What a page shows until the result is there, as `placeholder` asks for it.",
        example="1QcSHQRnh493V4dIh4eXh1h4kJUI",
    ),
    "saved_bytes": {
        "type": "integer",
        "description": "Original minus result; below 0 if the result is larger.",
    },
    "saved_percent": {
        "type": "number",
        "description": "The same as a percentage of the original, to a tenth.",
    },
    "chosen_quality": _number("The `q` that `q=auto` or `max_bytes` has chosen.", 1, 100),
    "chosen_look": {
        "type": "number",
        "description": "SSIMULACRA2 of the result on a sample of the picture, where `q=auto` has "
        "chosen the quality: 100 is the original, 77 plain JPEG at 80 on average.",
        "maximum": 100,
    },
    "milliseconds": {
        "type": "number",
        "description": "Duration of the conversion, without waiting.",
        "minimum": 0,
    },
    "place": _number(
        "Among waiting pictures, 1 for the next; approximate if interactive and bulk ones wait.",
        1,
    ),
    "finished_at": _text(
        "The time it was done or failed, in UTC.",
        format="date-time",
        example="2026-01-31T12:00:00.123Z",
    ),
    "download_url": _text(
        "The URL of exactly this result, relative to the URL of this answer.",
        example=f"../download/{EXAMPLE_MD5}?format=webp&lossless=false",
    ),
}
"""Further members of answers with details; unknown ones are left out."""

_FAILED: Schema = {"error": ref("JobError")}

_DONE_OR_NOT = _text("For people.", example="Your image is queued for processing")

_SOCKET_STATES = (JobState.QUEUED, JobState.PROCESSING)

_REQUESTED: dict[str, Schema] = {
    "filename": _text("The name of the original.", example="rocket.jpg"),
    "preset": PRESET,
    "format": {**FORMAT, "oneOf": [*FORMAT["oneOf"], ref("ListedFormats")]},
    "quality": QUALITY,
    "priority": PRIORITY,
    WEBHOOK: WEBHOOK_FIELD,
    BATCH: BATCH_FIELD,
    "details": {
        "type": "boolean",
        "description": "Whether the answers have all details.",
        "default": False,
    },
    **{name: _sent(option) for name, option in options.OPTIONS.items()},
}
"""Further members of a socket's message with a picture."""

_SELECTED: dict[str, Schema] = {
    "format": {
        "description": "Of the result. The others name conversions whose format was left open.",
        "oneOf": [ref("ToldFormat"), ref("AskedFormats"), ref("ListedFormats")],
    },
    "quality": _number("As `/status` names it.", 0, 100),
    "q": _sent(options.OPTIONS["q"]),
    "options": _object(
        "As `/status` names them, or as they were requested; `{}` for none.",
        {},
        {name: _sent(option) for name, option in options.OPTIONS.items()},
    ),
}
"""Members of an object in JSON that names conversions of a picture."""

_BATCH: dict[str, Schema] = {
    "batch": BATCH_FIELD,
    "total": _number("Its pictures, each once in each form.", 0),
    "unfinished": _number("Those that are queued, fetched or in work.", 0),
    "done": _number("Those that are done.", 0),
    "failed": _number("Those that have failed.", 0),
}
_ANY_FORMAT = "|".join(Format)
_EXAMPLES = sorted(map(str, EXAMPLES))


def _message(type: EventType, required: Schema, optional: Schema, about: str = "") -> Schema:
    """A message to the recipients of an event.

    Args:
        about: what it is about, where it is not the only message of its type.
    """
    return _object(
        f"The message of `{type}`{about}.",
        {
            "type": _choice("The kind of event.", (type,)),
            "timestamp": _text("Of the event.", format="date-time"),
            "data": _object("What has happened.", required, optional),
        },
    )


SCHEMAS: dict[str, Schema] = {
    "Md5": _text("The MD5 of the uploaded file.", pattern="^[0-9a-f]{32}$", example=EXAMPLE_MD5),
    "Format": _choice("A format that results are written in.", Format),
    "AskedFormat": _choice(
        f"A format, `{SAME}` for that of the original, or `{AUTO}` for the one of those that the "
        "server allows which gives the smallest file at the same look.",
        (*Format, SAME, AUTO),
    ),
    "AskedFormats": _text(
        "Formats with commas between them.",
        pattern=f"^({_ANY_FORMAT})(,({_ANY_FORMAT}))+$",
        example=",".join(_EXAMPLES),
    ),
    "ListedFormats": {
        "type": "array",
        "items": ref("Format"),
        "minItems": 1,
        "example": _EXAMPLES,
    },
    "ToldFormat": _choice(
        f"The format of the result; `{AUTO}` where it was left open and is not chosen yet.",
        (*Format, AUTO),
    ),
    "DownloadFormat": _choice(
        f"A format, `{SAME}` for that of the original, or `{AUTO}` for the one of those that there "
        "are which `Accept` prefers.",
        (*Format, SAME, AUTO),
    ),
    **{
        kind.choices.__name__: _choice(kind.sentence, kind.choices.__members__.values())
        for kind in (option.kind for option in options.OPTIONS.values())
        if isinstance(kind, Choice | Several)
    },
    "Priority": _choice("Whether a person waits for the picture.", Priority),
    "State": _choice("The status of a picture.", JobState),
    "ChosenOptions": _object(
        "The options of a conversion, without defaults.",
        {},
        {name: _kept(option) for name, option in options.OPTIONS.items()},
    ),
    "ImageDone": _message(
        EventType.IMAGE_DONE,
        {
            **_CONVERSION,
            "status": _choice("Of the picture.", (JobState.DONE,)),
            "filename": DETAILS["filename"],
            "download_url": _text(
                "The URL of exactly this result, relative to the root of the server if it is not "
                "absolute.",
                example=f"download/{EXAMPLE_MD5}?format=webp&lossless=false",
            ),
        },
        {**_CHOSEN, **{name: DETAILS[name] for name in ("original_bytes", "result_bytes")}},
    ),
    "ImageFailed": _message(
        EventType.IMAGE_FAILED,
        {
            **_CONVERSION,
            "status": _choice("Of the picture.", (JobState.FAILED,)),
            "filename": DETAILS["filename"],
            **_FAILED,
        },
        {**_CHOSEN, "original_bytes": DETAILS["original_bytes"]},
        " of a picture",
    ),
    "LinkFailed": _message(
        EventType.IMAGE_FAILED,
        {
            "id": _LINK_ID,
            "status": _choice("Of the upload.", (LinkState.FAILED,)),
            "filename": DETAILS["filename"],
            **_FAILED,
        },
        {"host": _text("Of the URL; nothing else of it is told.", example="example.org")},
        " of an upload by its URL, without a picture",
    ),
    "BatchDone": _message(
        EventType.BATCH_DONE,
        {name: _BATCH[name] for name in ("batch", "total", "done", "failed")},
        {},
    ),
    "Health": _object("The process answers.", {"status": _choice("Always `ok`.", ("ok",))}),
    "Readiness": _object(
        "Pictures can be converted.",
        {"status": _choice("Always `ok`.", ("ok",))},
        {
            "details": _object(
                "What is known of the workers, with `?details=true`.",
                {
                    "workers": _number("Live workers that take pictures.", 1),
                    "look": {
                        "type": "array",
                        "description": "What computes SSIMULACRA2 in them: `vszip`, or `libvips`, "
                        "which is slower, where VapourSynth has no wheel.",
                        "items": {"type": "string"},
                    },
                },
            )
        },
    ),
    "About": _object(
        "The server and its limits.",
        {
            "version": _text("Of the server.", example="0.1.0"),
            "download_url": _text("The address of the results.", example="download/"),
            "max_upload_size_bytes": _number("Bytes of the largest accepted picture.", 1),
            "max_concurrent_tasks": _number("Workers of one pool.", 1),
            "max_age": {
                "type": "number",
                "description": "Hours until a picture is deleted.",
                "minimum": 0,
            },
        },
    ),
    "Upload": _object(
        "A picture, as a file or by its address, and its conversion.",
        {},
        {
            "picture": _text("The file.", format="binary"),
            "url": _URL,
            **_UPLOADED,
            **OPTIONS,
        },
    ),
    "LinkUpload": _object(
        "The address of a picture, and its conversion.",
        {"url": _URL},
        {**_UPLOADED, **{name: _sent(option) for name, option in options.OPTIONS.items()}},
    ),
    "AcceptedLink": _object(
        "A picture that is fetched.",
        {"message": _DONE_OR_NOT, "id": _LINK_ID, "status": _choice("", (LinkState.FETCHING,))},
    ),
    "AcceptedWidths": _object(
        "A picture that was accepted in several widths.",
        {
            "message": _DONE_OR_NOT,
            "md5": _MD5,
            "images": {"type": "array", "items": ref("Width"), "minItems": 1},
            "srcset": _text(
                "What the attribute of this name takes, with URLs relative to that of this answer.",
                example=f"download/{EXAMPLE_MD5}?format=webp&width=320 320w",
            ),
        },
    ),
    "Width": _object(
        "A picture in one width.",
        {
            **_CONVERSION,
            "width": _number("Pixels.", 1),
            "status": ref("State"),
            "url": _text(
                "Of the result, relative to that of this answer.",
                example=f"download/{EXAMPLE_MD5}?format=webp&width=320",
            ),
        },
        {**_CHOSEN, "type": _text("The media type of the result.", example="image/webp")},
    ),
    "LinkStatus": _object(
        "An upload by its URL that is fetched, or could not be.",
        {
            "id": _LINK_ID,
            "status": _choice("Until its conversions have one.", (LinkState.FETCHING, "failed")),
        },
        {"error": ref("JobError")},
    ),
    "Accepted": _object("An accepted picture.", {"message": _DONE_OR_NOT, **_CONVERSION}, _CHOSEN),
    "Status": _object(
        "One conversion of a picture. Only `details` adds the further keys; unknown ones are left "
        "out.",
        {**_CONVERSION, "status": ref("State")},
        {"id": _LINK_ID, **_CHOSEN, **DETAILS, **_FAILED},
    ),
    "Batch": _object(
        "A batch, and a part of its pictures.",
        {
            **_BATCH,
            "files": {"type": "array", "items": {"anyOf": [ref("Status"), ref("LinkStatus")]}},
        },
    ),
    "Withdrawn": _object(
        "One conversion of a picture that was to be withdrawn.",
        {**_CONVERSION, "status": _choice("What became of it.", (WITHDRAWN, *JobState))},
        {"id": _LINK_ID, **_CHOSEN},
    ),
    "WithdrawnLink": _object(
        "An upload by its URL that was to be withdrawn, and has no conversions.",
        {
            "id": _LINK_ID,
            "status": _choice("What became of it.", (WITHDRAWN, LinkState.FETCHING, "failed")),
        },
        {"error": ref("JobError")},
    ),
    "JobError": _object(
        "Why a picture was not converted.",
        {
            "code": _text(
                f"For programs: one of {', '.join(codes_at(Where.CONVERSION))} of an accepted "
                "picture, otherwise the code of the refusal.",
                example=errors.ProcessingFailed.code,
            ),
            "message": _text(
                "For people; may change.", example="the picture cannot be read: not a BMP file"
            ),
        },
    ),
    "Waiting": _object(
        "One unfinished conversion of a picture.",
        {**_CONVERSION, "filename": _text("As it was sent.", example="rocket.jpg")},
        _CHOSEN,
    ),
    "Error": _object(
        "Why a request was refused.",
        {"error": ref("ErrorCode"), "message": _text("For people; may change.")},
        {
            "missing": {
                "type": "object",
                "description": f"With `{errors.NotReady.code}`: each unavailable part "
                "of `redis`, `storage` and `workers`, and why. With "
                f"`{errors.ResultsMissing.code}`: each file without a result, such as `files[3]`.",
                "additionalProperties": {"type": "string"},
            }
        },
    ),
    "Archive": _object(
        "The results that are to be in an archive: those of a list, or all of a batch.",
        {},
        {
            "batch": BATCH_FIELD,
            "files": {
                "type": "array",
                "items": ref("ArchiveFile"),
                "minItems": 1,
                "maxItems": MAX_ARCHIVE_FILES,
            },
        },
    ),
    "ArchiveFile": _object(
        "One result; what is left out is found as by a download.",
        {"md5": _text("The MD5 of the uploaded file.", pattern="^[0-9a-fA-F]{32}$")},
        {
            **_SELECTED,
            "path": _text("Its name in the archive, with folders.", example="beach/rocket.webp"),
        },
    ),
    "SocketPicture": _object(
        "To the server: a picture and its conversion.",
        {"data": _text("The file.", format="byte")},
        _REQUESTED,
    ),
    "SocketAnnouncement": _object(
        "To the server, in a text message: the conversion of a picture that follows in a binary "
        "message.",
        {"binary": {"type": "boolean", "enum": [True]}},
        _REQUESTED,
    ),
    "SocketLink": _object(
        "To the server: the address of a picture, and its conversion.",
        {"url": _URL},
        {name: schema for name, schema in _REQUESTED.items() if name != "filename"},
    ),
    "SocketFetching": _object(
        "From the server: a picture is fetched.",
        {"status": _choice("", (LinkState.FETCHING,)), "id": _LINK_ID},
    ),
    "SocketFollow": _object(
        "To the server: a picture that came over HTTP, to be told how its conversions go; those "
        "that the other members name, or all.",
        {"follow": _text("The MD5 of the uploaded file.", pattern="^[0-9a-fA-F]{32}$")},
        {
            **_SELECTED,
            "progress": {
                "type": "boolean",
                "description": "Whether each new place in the queue is told too, at most once a "
                "second.",
                "default": False,
            },
            "details": {
                "type": "boolean",
                "description": "Whether the answers have all details.",
                "default": False,
            },
        },
    ),
    "SocketFollowBatch": _object(
        "To the server: a batch, to be told how it goes.",
        {"follow_batch": BATCH_FIELD},
    ),
    "SocketBatch": _object(
        "From the server: the counts of a batch that is followed.",
        {
            "status": _choice("Whether all have ended.", (JobState.PROCESSING, "done")),
            **_BATCH,
        },
    ),
    "SocketFollowed": _object(
        "From the server: the status of a conversion that is followed. A failed one is an error.",
        {"status": _choice("", (*_SOCKET_STATES, JobState.DONE)), **_CONVERSION},
        {**_CHOSEN, **DETAILS},
    ),
    "SocketKey": _object(
        "To the server: the API key, where headers cannot be set.", {"api_key": _text("The key.")}
    ),
    "SocketAuthorized": _object(
        "From the server: the key is valid.", {"status": _choice("", ("authorized",))}
    ),
    "SocketStep": _object(
        "From the server: the status of a picture.",
        {"status": _choice("", _SOCKET_STATES), **_CONVERSION},
        {"id": _LINK_ID, **_CHOSEN, **DETAILS},
    ),
    "SocketDone": _object(
        "From the server: a result.",
        {
            "status": _choice("", (JobState.DONE,)),
            **_CONVERSION,
            "file": _text("The file.", format="byte"),
        },
        {"id": _LINK_ID, **_CHOSEN, **DETAILS},
    ),
    "SocketError": _object(
        "From the server: a message or a picture failed. The socket stays open.",
        {"status": _choice("", ("error",)), "message": ref("SocketErrorCode")},
        {
            "detail": _text(
                f"Why, with `{errors.InvalidOption.code}` and `{errors.NotAllowed.code}`."
            ),
            "retry_after": _number(f"Seconds, with `{errors.RateLimited.code}`.", 0),
            "id": _LINK_ID,
            **_CONVERSION,
            **_CHOSEN,
            **DETAILS,
            **_FAILED,
        },
    ),
}
"""The components of the schema, without the codes of errors."""


def schemas() -> dict[str, Schema]:
    """The components of the schema."""
    what = "The error, for programs."
    return {
        **SCHEMAS,
        "ErrorCode": _choice(what, sorted({*codes_at(Where.HTTP), *SANIC_CODES})),
        "SocketErrorCode": _choice(what, sorted(codes_at(Where.MESSAGE))),
    }
