"""A conversion of a picture, and what is told of it."""

from __future__ import annotations

from app.core import errors
from app.core.errors import Where, codes_at
from app.core.jobs.job import JobState
from app.core.picture.priority import Priority
from app.web.docs.schemas.link import LINK_ID, WITHDRAWN
from app.web.docs.schemas.parts import Schema, an_object, choice, number, real, ref, text

EXAMPLE_MD5 = "511130d2072cc744a1fa5015bc23557a"

MD5 = ref("Md5")

CONVERSION: Schema = {
    "md5": MD5,
    "format": ref("ToldFormat"),
    "quality": number("1 to 100; 0 where the server chooses it.", 0, 100),
}

CHOSEN: Schema = {"options": ref("ChosenOptions")}

DETAILS: dict[str, Schema] = {
    "filename": text("As it was sent.", example="rocket.jpg"),
    "original_type": text("The media type of the original.", example="image/jpeg"),
    "original_bytes": number("Of the original.", 0),
    "original_width": number("Pixels of the original as it is shown.", 1),
    "original_height": number("Pixels of the original as it is shown.", 1),
    "result_bytes": number("Of the result.", 0),
    "result_width": number("Pixels of the result.", 1),
    "result_height": number("Pixels of the result.", 1),
    "placeholder": text(
        "What a page shows until the result is there, as `placeholder` asks for it.",
        example="1QcSHQRnh493V4dIh4eXh1h4kJUI",
    ),
    "saved_bytes": {
        "type": "integer",
        "description": "Original minus result; below 0 if the result is larger.",
    },
    "saved_percent": real("The same as a percentage of the original, to a tenth."),
    "chosen_quality": number("The `q` that `q=auto` or `max_bytes` has chosen.", 1, 100),
    "chosen_look": real(
        "SSIMULACRA2 of the result on a sample of the picture, where `q=auto` has "
        "chosen the quality: 100 is the original, 77 plain JPEG at 80 on average.",
        maximum=100,
    ),
    "milliseconds": real("Duration of the conversion, without waiting.", minimum=0),
    "place": number(
        "Among waiting pictures, 1 for the next; approximate if interactive and bulk ones wait.",
        1,
    ),
    "finished_at": text(
        "The time it was done or failed, in UTC.",
        format="date-time",
        example="2026-01-31T12:00:00.123Z",
    ),
    "download_url": text(
        "The URL of exactly this result, relative to the URL of this answer.",
        example=f"../download/{EXAMPLE_MD5}?format=webp&lossless=false",
    ),
}
"""Further members of answers with details; unknown ones are left out."""

FAILED: Schema = {"error": ref("JobError")}

SCHEMAS: dict[str, Schema] = {
    "Md5": text("The MD5 of the uploaded file.", pattern="^[0-9a-f]{32}$", example=EXAMPLE_MD5),
    "Priority": choice("Whether a person waits for the picture.", Priority),
    "State": choice("The status of a picture.", JobState),
    "Status": an_object(
        "One conversion of a picture. Only `details` adds the further keys; unknown ones are left "
        "out.",
        {**CONVERSION, "status": ref("State")},
        {"id": LINK_ID, **CHOSEN, **DETAILS, **FAILED},
    ),
    "Waiting": an_object(
        "One unfinished conversion of a picture.",
        {**CONVERSION, "filename": text("As it was sent.", example="rocket.jpg")},
        CHOSEN,
    ),
    "Withdrawn": an_object(
        "One conversion of a picture that was to be withdrawn.",
        {**CONVERSION, "status": choice("What became of it.", (WITHDRAWN, *JobState))},
        {"id": LINK_ID, **CHOSEN},
    ),
    "JobError": an_object(
        "Why a picture was not converted.",
        {
            "code": text(
                f"For programs: one of {', '.join(codes_at(Where.CONVERSION))} of an accepted "
                "picture, otherwise the code of the refusal.",
                example=errors.ProcessingFailed.code,
            ),
            "message": text(
                "For people; may change.", example="the picture cannot be read: not a BMP file"
            ),
        },
    ),
}
"""The components."""
