"""Formats and options, as clients ask for them and as answers tell them."""

from __future__ import annotations

from typing import Any

from app.web.docs.schemas.parts import Schema, an_array, an_object, choice, named, number, ref, text
from imaging import options
from imaging.formats import AUTO, DEFAULT_FORMAT, EXAMPLES, SAME, Format
from imaging.options.declared import Option
from imaging.options.values import Bytes, Choice, Flag, Several
from imaging.quality import DEFAULT_QUALITY


def asked(option: Option[Any]) -> Schema:
    """An option as a form or a query has it."""
    kind = option.kind
    if isinstance(kind, Choice):
        # Not with `default`: some clients send what that says, and there are options that are an
        # error without another one.
        return named(kind.choices.__name__, option.sentence)
    schema = {**kind.schema(), "description": option.sentence}
    return schema | {"default": option.default} if isinstance(kind, Flag) else schema


def kept(option: Option[Any]) -> Schema:
    """An option as answers tell it."""
    match option.kind:
        case Choice(choices=choices):
            return ref(choices.__name__)
        case Several(choices=choices):
            return an_array(ref(choices.__name__))
    return {"description": option.sentence, **option.kind.kept()}


def sent(option: Option[Any]) -> Schema:
    """An option as a message of a socket has it."""
    match option.kind:
        case Several(sentence=sentence):
            return {"description": sentence, "oneOf": [asked(option), kept(option)]}
        case Bytes():
            return {"description": option.sentence, "oneOf": [asked(option), kept(option)]}
    return asked(option)


OPTIONS: dict[str, Schema] = {name: asked(option) for name, option in options.OPTIONS.items()}
"""The options as requested, in a form or a query."""

QUALITY = number(
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

PRESET = text(
    "The name of a set of options that the operator has named; options beside it win.",
    example="thumb",
)

SELECTED: dict[str, Schema] = {
    "format": {
        "description": "Of the result. The others name conversions whose format was left open.",
        "oneOf": [ref("ToldFormat"), ref("AskedFormats"), ref("ListedFormats")],
    },
    "quality": number("As `/status` names it.", 0, 100),
    "q": sent(options.OPTIONS["q"]),
    "options": an_object(
        "As `/status` names them, or as they were requested; `{}` for none.",
        {},
        {name: sent(option) for name, option in options.OPTIONS.items()},
    ),
}
"""Members of an object in JSON that names conversions of a picture."""

_ANY_FORMAT = "|".join(Format)

_EXAMPLES = sorted(map(str, EXAMPLES))

SCHEMAS: dict[str, Schema] = {
    "Format": choice("A format that results are written in.", Format),
    "AskedFormat": choice(
        f"A format, `{SAME}` for that of the original, or `{AUTO}` for the one of those that the "
        "server allows which gives the smallest file at the same look.",
        (*Format, SAME, AUTO),
    ),
    "AskedFormats": text(
        "Formats with commas between them.",
        pattern=f"^({_ANY_FORMAT})(,({_ANY_FORMAT}))+$",
        example=",".join(_EXAMPLES),
    ),
    "ListedFormats": an_array(ref("Format"), minItems=1, example=_EXAMPLES),
    "ToldFormat": choice(
        f"The format of the result; `{AUTO}` where it was left open and is not chosen yet.",
        (*Format, AUTO),
    ),
    "DownloadFormat": choice(
        f"A format, `{SAME}` for that of the original, or `{AUTO}` for the one of those that there "
        "are which `Accept` prefers.",
        (*Format, SAME, AUTO),
    ),
    **{
        kind.choices.__name__: choice(kind.sentence, kind.choices.__members__.values())
        for kind in (option.kind for option in options.OPTIONS.values())
        if isinstance(kind, Choice | Several)
    },
    "ChosenOptions": an_object(
        "The options of a conversion, without defaults.",
        {},
        {name: kept(option) for name, option in options.OPTIONS.items()},
    ),
}
"""The components."""
