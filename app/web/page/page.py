"""The page, from files of this server alone."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path

from sanic import Blueprint, HTTPResponse, Request
from sanic.exceptions import InvalidHeader, NotFound
from sanic.response import html

from app.web.files import cache_control, policy, version_of
from imaging.formats import AUTO, EXTENSIONS, SAME, Format
from imaging.options import Effort, Keep

FOLDER = "/page"
"""Where its files are. They are below a folder that is named by their version, so that each can
name the others by where they are, and no cache mixes two versions."""

_HERE = Path(__file__).parent / "files"
_PAGE = "page.html"
_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
"""By what the names of files end in. Python's own `mimetypes` reads the machine's table first."""


class Page:
    """The page as it is when the server starts."""

    def __init__(self, *, keys_required: bool) -> None:
        """
        Args:
            keys_required: whether the API refuses requests without a key.
        """
        paths = sorted(path for path in _HERE.rglob("*") if path.is_file())
        self._version = version_of(paths)
        self._files: Mapping[str, tuple[bytes, str]] = {
            path.relative_to(_HERE).as_posix(): (
                path.read_bytes(),
                _TYPES.get(path.suffix, "text/plain"),
            )
            for path in paths
            if path.name != _PAGE
        }
        self._packed = {name: gzip.compress(data) for name, (data, _) in self._files.items()}
        text = (_HERE / _PAGE).read_text(encoding="utf-8")
        for name, value in self._told(keys_required, text).items():
            text = text.replace(f"{{{name}}}", value)
        self._page = text

    def show(self, request: Request) -> HTTPResponse | None:
        """The page for a browser; None for a client whose `Accept` does not prefer HTML to JSON, or
        cannot be read: Java's own begins with text/html, and has a lone `*`."""
        given = request.headers.get("accept", "")
        if not all("/" in part for part in given.split(",")):
            return None
        try:
            if request.accept.match("application/json", "text/html") != "text/html":
                return None
        except InvalidHeader:
            return None
        headers = {
            "Content-Security-Policy": policy(forms=True),
            "Cache-Control": cache_control(named=False),
        }
        return html(self._page, headers=headers)

    def blueprint(self) -> Blueprint:
        """Its files."""
        blueprint = Blueprint("page")

        @blueprint.route(  # type: ignore[untyped-decorator]
            f"{FOLDER}/<version:str>/<name:path>", methods=["GET", "HEAD"], name="file"
        )
        async def file(request: Request, version: str, name: str) -> HTTPResponse:
            found = self._files.get(name)
            if found is None:
                raise NotFound("The page has no such file")
            data, content_type = found
            headers = {
                "Cache-Control": cache_control(named=version == self._version),
                "Vary": "Accept-Encoding",
            }
            if _takes_gzip(request):
                data = self._packed[name]
                headers["Content-Encoding"] = "gzip"
            return HTTPResponse(data, content_type=content_type, headers=headers)

        return blueprint

    def _told(self, keys_required: bool, text: str) -> Mapping[str, str]:
        """What the page, `text`, is told of the server, by its name in braces."""
        words = {
            Path(name).stem: json.loads(data)["autonym"]
            for name, (data, _) in self._files.items()
            if name.startswith("words/")
        }
        folder = f"{FOLDER.strip('/')}/{self._version}"
        return {
            "folder": folder,
            # All at once: else a browser learns of each from the one that asks for it.
            "modules": "".join(
                f'<link rel="modulepreload" href="{folder}/{name}">'
                for name in self._files
                if name.endswith(".js") and f"{{folder}}/{name}" not in text
            ),
            "formats": " ".join([SAME, *Format, AUTO]),
            "plain": " ".join(format for format in Format if not format.takes_q),
            "opaque": " ".join(format for format in Format if not format.output.has_alpha),
            "efforts": " ".join(Effort),
            "keeps": " ".join(Keep),
            "ends": "|".join(sorted(EXTENSIONS)),
            "languages": "".join(
                f'<option value="{tag}" lang="{tag}">{escape(name)}</option>'
                for tag, name in words.items()
            ),
            "keys": "asked" if keys_required else "",
        }


def _takes_gzip(request: Request) -> bool:
    """Whether the client names gzip among what it takes, and not as what it does not."""
    given = str(request.headers.get("accept-encoding", "")).lower().replace(" ", "")
    weights = dict(part.partition(";q=")[::2] for part in given.split(","))
    weight = weights.get("gzip")
    return weight is not None and (not weight or weight.strip("0.") != "")
