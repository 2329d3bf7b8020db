"""/download: a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sanic import Blueprint, HTTPResponse, Request

from app.core.config.settings import Settings
from app.core.errors import InvalidOption, NotAllowed, NotFound, UnsupportedFormat, Where
from app.core.picture.conversion import parse_format, parse_options, parse_q
from app.core.picture.presets import PRESET as PRESET_FIELD
from app.web.docs.operation import PICTURES, Operation
from app.web.docs.responses import Responses, headers
from app.web.docs.routes import readable
from app.web.docs.schemas.options import OPTIONS, PRESET
from app.web.docs.schemas.parts import Schema, number, ref
from app.web.guard.record import record_of
from app.web.http.accept import preferred
from app.web.http.parameters import MD5, in_header, in_query, named_md5
from app.web.http.result import remaining_seconds, send_result
from app.web.service.conversions import Result
from app.web.service.selection import Selection
from app.web.service.services import Services
from imaging.formats import Format, is_auto, is_same
from imaging.options import OPTION_NAMES, Auto, Keep
from imaging.options.asked import is_auto_quality
from imaging.quality import NO_QUALITY, parse_quality

_FILE_HEADERS = ("ETag", "Last-Modified", "Cache-Control", "Content-Disposition", "Accept-Ranges")

SELECTION = [
    MD5,
    in_query(
        "format",
        {
            "oneOf": [ref("AskedFormat"), ref("AskedFormats")],
            "description": "The format of the result; also `jpeg`, in any letter case. "
            "`same` is the format of the original. Several name what was requested with these, and "
            "`auto` all whose format was left open.",
        },
    ),
    in_query(
        "quality",
        number(
            "The quality of the result, as its status names it. "
            f"`{Auto.AUTO}` is the same as `q={Auto.AUTO}`.",
            0,
            100,
        ),
    ),
    in_query(
        "preset", {**PRESET, "description": "The preset with which the result was requested."}
    ),
    *(in_query(name, schema) for name, schema in OPTIONS.items()),
]
"""The parameters that name a conversion of a picture."""

_FORMAT = in_query(
    "format",
    {
        "oneOf": [ref("DownloadFormat"), ref("AskedFormats")],
        "description": "The format of the result; also `jpeg`, in any letter case. "
        "`same` is the format of the original, `auto` the one that `Accept` prefers of those "
        "that there are, what `auto` became at the upload among them. Several name what was "
        "requested with these; `formats=auto` what was requested with `format=auto`.",
    },
)

_RESULT_PARAMETERS = [
    *(_FORMAT if each["name"] == "format" else each for each in SELECTION),
    in_header("Range", "The requested bytes, as one range: `bytes=0-1023`."),
    in_header("If-None-Match", "The ETags of the client's copies."),
    in_header("If-Modified-Since", "The Last-Modified of the client's copy, if it has no ETag."),
    in_header("If-Match", "ETags; without the file's among them the answer is 412."),
    in_header("If-Unmodified-Since", "If the file is newer, the answer is 412."),
    in_header(
        "If-Range",
        "The range counts only if this is still the ETag, or, if the query names format, "
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
    "206": _file("The requested part of the file.", "Content-Range"),
    "302": {
        "description": "The file is in the storage, under a URL that is valid for a few minutes. "
        "Only with the setting `download.redirect`.",
        "headers": headers("Location", "Cache-Control"),
    },
    "304": {
        "description": "The client's copy is current.",
        "headers": headers(*_FILE_HEADERS),
    },
}


DOWNLOAD = Operation(
    name="download_picture",
    tag=PICTURES,
    summary="A result",
    description="The result that the query names, or the newest. A query without options gets the "
    "plain result: 404 while that waits, or if it failed. If no plain result was requested, "
    "it gets the newest with options. "
    f"Metadata is dropped unless it was kept ({', '.join(Keep)}).",
    parameters=_RESULT_PARAMETERS,
    answers=_RESULTS,
    where=Where.KEYED | Where.PICTURE | Where.RESULT,
    errors={
        InvalidOption: "width should be pixels, from 1 to 16383 (it is 'wide')",
        NotFound: "There is no such result",
    },
)


def add_download(blueprint: Blueprint, services: Services) -> None:
    settings, conversions = services.settings, services.conversions

    @readable(blueprint, "/download/<md5:str>", DOWNLOAD)
    async def download(request: Request, md5: str) -> HTTPResponse | None:
        picture = named_md5(request, md5)
        query = asked_query(request, settings)
        named = False
        if is_auto(query.get("format")):
            request.ctx.vary = "Accept"
            result = await _preferred(request, services, picture, query)
        else:
            wanted = await selection(services, picture, query)
            result = await conversions.newest_result(picture, wanted)
            # A result never changes, but the newest of several does.
            named = result is not None and wanted.names(result.job.conversion)
        if result is None:
            raise NotFound("There is no such result")
        cache = remaining_seconds(result, settings.upload.max_age_seconds) if named else 0
        return await send_result(
            request,
            conversions,
            result,
            cache,
            named=named,
            redirect=settings.download.redirect,
        )


def asked_query(request: Request, settings: Settings) -> Mapping[str, str]:
    """The query, with the options of the preset that it names, and the formats that it leaves open
    as an upload of this client does: all but the `auto` that is a client's own.

    Raises:
        InvalidOption: if there is no such preset, or the formats cannot do what is asked for.
        NotFound: if there is no such format, or the client may have none of several.
    """
    own = {name: values[0] for name, values in request.args.items()}
    given = dict(settings.asked.expanded(own) if PRESET_FIELD in own else own)
    auto = {"format": given.pop("format")} if is_auto(own.get("format")) else {}
    try:
        given |= {"format": None, "formats": None} | dict(
            settings.asked.opened(given, record_of(request).key)
        )
    except (UnsupportedFormat, NotAllowed):
        raise NotFound("There is no such format") from None
    return {
        name: ",".join(value) if isinstance(value, list) else str(value)
        for name, value in (given | auto).items()
        if value is not None
    }


async def _preferred(
    request: Request, services: Services, picture: str, query: Mapping[str, str]
) -> Result | None:
    """Of the results that the query leaves open, in whatever format, the one that the client
    prefers; None if it takes none of them."""
    settings = services.settings
    wanted = [_selected(query, settings, each, is_open=o) for each in Format for o in (False, True)]
    there: Sequence[Result] = await services.conversions.newest_results(picture, wanted)
    if wanted[0].options is None:
        there = _alike(there)
    return preferred(there, request.headers.get("accept", ""))


def _alike(results: Sequence[Result]) -> Sequence[Result]:
    """Those without options; if there are none, those with the options of the newest: one picture
    in several formats, and not several pictures. That a format was left open is not an option here.
    """
    plain = [result for result in results if result.job.conversion.is_bare]
    if plain or not results:
        return plain
    newest = max(results, key=lambda result: result.info.modified)
    options = newest.job.conversion.closed_options
    return [result for result in results if result.job.conversion.closed_options == options]


async def selection(services: Services, picture: str, query: Mapping[str, str]) -> Selection:
    """The filters of the query.

    Raises:
        NotFound: if there is no such format or quality, or if the picture's own is not known.
        InvalidOption: if an option is wrong.
    """
    settings = services.settings
    name, format = query.get("format"), None
    if is_auto(name):
        return _selected(query, settings, None, is_open=True)
    if is_same(name):
        format = await services.conversions.own_format(picture)
        if format is None:
            raise NotFound("There is no result in the picture's own format")
    elif name:
        try:
            format = parse_format(name)
        except UnsupportedFormat:
            raise NotFound("There is no such format") from None
    return _selected(query, settings, format)


def _selected(
    query: Mapping[str, str], settings: Settings, format: Format | None, *, is_open: bool = False
) -> Selection:
    """The filters of the query beside the format; an impossible quality is not found.

    Args:
        format: of the result.
        is_open: whether those alone are meant whose format was left open.

    Raises:
        InvalidOption: if an option is wrong.
    """
    quality = query.get("quality", "")
    if is_auto_quality(quality):
        query, quality = {"q": quality, **query}, ""
    q = parse_q(query.get("q"))
    options = None
    if query.keys() & {PRESET_FIELD, *OPTION_NAMES}:
        options = parse_options(query, settings.engine.effort, settings.limits.max_pixels)
        options = options.for_format(None if is_open else format)
    # As at the upload, where the format of a result that was left open says nothing.
    was_open = is_open or bool(options and options.formats)
    named = None if was_open else format
    if q is not None and named is not None and not named.takes_q:
        q = NO_QUALITY
    if q is None and options:
        if options.q and is_open and not options.formats:
            quality = ""  # which the options tell: formats that do not know this have another
        elif options.q or (was_open and options.lossless) or (named and not named.has_quality):
            q = NO_QUALITY
    if q is not None or not quality:
        return Selection(format, q, options, is_open)
    if not (quality.isascii() and quality.isdigit() and len(quality) <= len("100")):
        raise NotFound("There is no such quality")
    number = int(quality) if named is None else parse_quality(quality, named)
    return Selection(format, number, options, is_open)
