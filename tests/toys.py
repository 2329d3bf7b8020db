"""The recipes of CONTRIBUTING.md for a format, an option, an endpoint and a kind of storage,
followed in a copy of the code."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

from PIL import Image

from bench.launch import ROOT

PARTS = ("app", "imaging", "workers", "config.yaml")

FORMAT_FACTS = '''
"""TOY: a picture as its numbers."""

import struct

from imaging.formats.facts import Facts, Output

HEAD = struct.Struct(">4sII")


def size(file):
    _, width, height = HEAD.unpack(file.read(HEAD.size))
    return width, height


FACTS = Facts(
    kinds={"image/x-toy": "TOY"},
    size=size,
    recognise=lambda head: "image/x-toy" if head.startswith(b"TOY1") else None,
    extensions=("toys",),
    output=Output(max_side=2000, can_be_lossless=True, takes_q=False, has_alpha=False),
)
'''

FORMAT_CODEC = '''
"""How it is read and written."""

import pyvips

from imaging.errors import ReaderFailed
from imaging.codec import Reader, Writer
from imaging.formats.toy import HEAD


def load(data, *, access):
    _, width, height = HEAD.unpack_from(data)
    pixels = bytes(data[HEAD.size : HEAD.size + 3 * width * height])
    if len(pixels) < 3 * width * height:
        raise ReaderFailed("the picture cannot be read: the TOY ends too early")
    image = pyvips.Image.new_from_memory(pixels, width, height, 3, "uchar")
    return image.copy(interpretation="srgb")


def encode(image, wanted):
    pixels = image.colourspace("srgb").write_to_memory()
    return HEAD.pack(b"TOY1", image.width, image.height) + pixels


def strip(data, exif, effort):
    _, width, height = HEAD.unpack_from(data)
    return data[: HEAD.size + 3 * width * height]


READER = Reader(load=load)
WRITER = Writer(encode, strip, bare=strip)
'''

OPTION_KIND = '''

@dataclass(frozen=True)
class Decimals(Kind[float]):
    """A number with a point."""

    maximum: float

    def parse(self, name: str, given: object) -> float:
        try:
            number = float(given)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            number = 0.0
        if not 0 < number <= self.maximum:
            raise InvalidOption(f"{name} should be at most {self.maximum} (it is {shown(given)})")
        return number

    def schema(self) -> Schema:
        return {"type": "number", "maximum": self.maximum}

    def allowed(self) -> str:
        return f"up to {self.maximum}"
'''

OPTION_STEP = '''
"""Less sharp."""

from dataclasses import replace


def apply(source, target):
    blur = target.options.blur
    return source if blur is None else replace(source, image=source.image.gaussblur(blur))
'''

ENDPOINT = '''
"""GET /greeting: a word."""

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from app.core.errors import Where
from app.web.docs.operation import SERVER, Operation
from app.web.docs.responses import answer
from app.web.docs.routes import readable

GREETING = Operation(
    name="get_greeting",
    tag=SERVER,
    summary="A greeting",
    description="In the words of the settings.",
    answers={"200": answer("The greeting.", {"type": "object"}, {"greeting": "Hello"})},
    where=Where.KEYED,
)


def greeting_blueprint(word: str) -> Blueprint:
    """The route."""
    blueprint = Blueprint("greeting")

    @readable(blueprint, "/greeting", GREETING)
    async def greet(request: Request) -> HTTPResponse:
        return json({"greeting": word})

    return blueprint
'''

SECTION = '''class GreetingSettings(Section):
    word: str = "Hello"
    """What `GET /greeting` says."""


'''

STORAGE_KIND = '''
"""`toy:///FILE`: the rows of a file of SQLite."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from app.core.errors import StorageError
from app.core.section import Section
from app.core.storage.interface import LIST_PAGE, ObjectInfo, ObjectNotFound, as_file
from app.core.storage.kind import Kind


class ToySettings(Section):
    toy_table: str = "objects"
    """The table of the objects."""


class ToyStorage:
    def __init__(self, file, table):
        self._file, self._table = file, table
        self._do("CREATE TABLE IF NOT EXISTS {} (key PRIMARY KEY, data, modified)")

    async def check(self):
        await self._ask("SELECT 1 FROM {}")

    async def put(self, key, data, content=None):
        values = key, as_file(data).read(), datetime.now(UTC).timestamp()
        await self._ask("INSERT OR REPLACE INTO {} VALUES (?, ?, ?)", *values)

    async def get(self, key):
        for (data,) in await self._ask("SELECT data FROM {} WHERE key = ?", key):
            return data
        raise ObjectNotFound(key)

    async def stream(self, key, start, end):
        data = await self.get(key)
        yield data[start:end]

    async def stat(self, key):
        return next(iter(await self._infos("key = ?", key)), None)

    async def delete(self, keys):
        for key in keys:
            await self._ask("DELETE FROM {} WHERE key = ?", key)

    async def list(self, prefix):
        infos = await self._infos("key LIKE ?", f"{prefix}/%" if prefix else "%")
        for start in range(0, len(infos), LIST_PAGE):
            yield infos[start : start + LIST_PAGE]

    async def delete_staged(self, seconds):
        return 0, 0

    async def close(self):
        pass

    async def _infos(self, where, value):
        select = "SELECT key, length(data), modified FROM {} WHERE "
        rows = await self._ask(select + where, value)
        return [ObjectInfo(key, size, datetime.fromtimestamp(at, UTC)) for key, size, at in rows]

    async def _ask(self, statement, *values):
        return await asyncio.to_thread(self._do, statement, *values)

    def _do(self, statement, *values):
        try:
            with closing(sqlite3.connect(self._file, timeout=30)) as opened, opened:
                return opened.execute(statement.format(self._table), values).fetchall()
        except sqlite3.Error as error:
            raise StorageError(f"The storage fails: {error}") from error


@dataclass(frozen=True)
class ToyPlace:
    file: str
    folder = None
    in_queue = False

    def open(self, settings, server):
        return ToyStorage(self.file, settings.toy_table)


KIND = Kind(
    ("toy",),
    "toy:///FILE",
    lambda parts: ToyPlace(parts.path) if parts.path else None,
    "a file of SQLite",
    shared_by="processes of one machine",
    settings=ToySettings,
)
'''


def toy(picture: Image.Image) -> bytes:
    """The picture in the toy format."""
    return struct.pack(">4sII", b"TOY1", *picture.size) + picture.convert("RGB").tobytes()


def copied(folder: Path) -> Path:
    """A copy of the code in this folder."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, folder / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, folder)
    return folder


def add_format(code: Path) -> None:
    """A folder, and a line of the list."""
    toy = code / "imaging" / "formats" / "toy"
    toy.mkdir()
    (toy / "__init__.py").write_text(FORMAT_FACTS)
    (toy / "codec.py").write_text(FORMAT_CODEC)
    _add(code / "imaging/formats/__init__.py", '    GIF = "gif"\n', '    TOY = "toy"\n')


def add_option(code: Path) -> None:
    """A row, as it does something new a step with a line of their list, and as its values are of a
    new kind that too."""
    options = code / "imaging" / "options" / "__init__.py"
    _add(
        options,
        "    keep: tuple[Keep, ...] = option(",
        '    blur: float | None = option(Decimals(9.5), None, "How far colours run.", "1.5")\n',
        before=True,
    )
    _add(options, "from imaging.options.values import ", "Decimals, ")
    with (code / "imaging" / "options" / "values.py").open("a") as values:
        values.write(OPTION_KIND)
    (code / "imaging" / "steps" / "blur.py").write_text(OPTION_STEP)
    steps = code / "imaging" / "steps" / "__init__.py"
    _add(steps, "    resize.apply,\n", "    blur.apply,\n")
    _add(steps, "from imaging.steps import (\n", "    blur,\n")


def add_endpoint(code: Path) -> None:
    """A module and a line where all is wired; for its setting a section and a line with that."""
    (code / "app" / "web" / "http" / "greeting.py").write_text(ENDPOINT)
    server = code / "app" / "web" / "server.py"
    _add(
        server,
        "    # Last: the schema",
        "    app.blueprint(greeting_blueprint(settings.greeting.word))\n",
        before=True,
    )
    _add(
        server,
        "from app.web.http.health import",
        "from app.web.http.greeting import greeting_blueprint\n",
        before=True,
    )
    config = code / "app" / "core" / "config"
    _add(config / "sections.py", "class LogSettings(Section):", SECTION, before=True)
    _add(
        config / "settings.py",
        "    logs: sections.LogSettings = sections.LogSettings()\n",
        "    greeting: sections.GreetingSettings = sections.GreetingSettings()\n",
    )


def add_storage(code: Path) -> None:
    """A module, and a line of the list."""
    kinds = code / "app/core/storage/kinds"
    (kinds / "toy.py").write_text(STORAGE_KIND)
    _add(kinds / "__init__.py", '    "redis",\n', '    "toy",\n')


def _add(file: Path, place: str, added: str, *, before: bool = False) -> None:
    text = file.read_text()
    assert text.count(place) == 1, f"{place!r} should be once in {file}"
    file.write_text(text.replace(place, added + place if before else place + added))
