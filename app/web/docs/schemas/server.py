"""The server itself, and its errors."""

from __future__ import annotations

from app.core import errors
from app.web.docs.schemas.parts import Schema, an_array, an_object, choice, number, real, ref, text

SCHEMAS: dict[str, Schema] = {
    "Health": an_object("The process answers.", {"status": choice("Always `ok`.", ("ok",))}),
    "Readiness": an_object(
        "Pictures can be converted.",
        {"status": choice("Always `ok`.", ("ok",))},
        {
            "details": an_object(
                "What is known of the workers, with `?details=true`.",
                {
                    "workers": number("Live workers that take pictures.", 1),
                    "look": an_array(
                        {"type": "string"},
                        description="What computes SSIMULACRA2 in them: `vszip`, or `pillow`, "
                        "which is slower, where VapourSynth has no wheel.",
                    ),
                },
            )
        },
    ),
    "About": an_object(
        "The server and its limits.",
        {
            "version": text("Of the server.", example="0.1.0"),
            "download_url": text("The address of the results.", example="download/"),
            "max_upload_size_bytes": number("Bytes of the largest accepted picture.", 1),
            "max_concurrent_tasks": number("Workers of one pool.", 1),
            "max_age": real("Hours until a picture is deleted.", minimum=0),
        },
    ),
    "Error": an_object(
        "Why a request was refused.",
        {"error": ref("ErrorCode"), "message": text("For people; may change.")},
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
}
"""The components."""
