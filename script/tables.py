"""`script/docs [--check]`: the tables of the docs that are made from declarations.

A table stands between two markers, `<!-- NAME: made by script/docs -->` and `<!-- /NAME -->`.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from app.core.config.settings import Settings
from app.core.config.sources import DEFAULT_CONFIG, PLATFORM_VARIABLES
from app.core.errors import TinyImageError, Where, errors_at
from app.core.storage.kinds import KINDS
from app.core.storage.kinds import file as files
from app.web.docs.formats import formats_rows
from app.web.tinify.errors import TABLE
from imaging.options import OPTIONS
from imaging.options.values import Choice, NumberOr

ROOT = Path(__file__).parent.parent

Rows = Iterator[tuple[str, ...]]


def attribute_docs(kind: type) -> Mapping[str, str]:
    """The text below each attribute of a class, by its name."""
    (tree,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for node, below in zip(tree.body, tree.body[1:], strict=False):
        match node, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                found[name] = " ".join(text.split())
            case _:
                pass
    return found


def settings_rows() -> Rows:
    """Each setting: its name, its default as config.yaml has it, its variables, what it is."""
    yield "Setting", "Default", "Environment", ""
    defaults = yaml.safe_load((ROOT / DEFAULT_CONFIG).read_text("utf-8"))
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            variable = f"`TINYIMAGE_{section}`".upper()
            texts = attribute_docs(Settings)
            yield f"`{section}`", _default(defaults[section]), variable, texts[section]
            continue
        texts = {}
        for base in model.__mro__:  # a section may be composed of several models
            if issubclass(base, BaseModel) and inspect.get_annotations(base):
                texts |= attribute_docs(base)
        for name in model.model_fields:
            variables = [f"TINYIMAGE_{section}__{name}".upper()]
            variables += [v for v, place in PLATFORM_VARIABLES.items() if place == (section, name)]
            yield (
                f"`{section}.{name}`",
                _default(_given(defaults.get(section) or {}, name, "config.yaml", section)),
                ", ".join(f"`{variable}`" for variable in variables),
                _given(texts, name, "the docstrings of its section", section),
            )


def _given(told: Mapping[str, Any], name: str, place: str, section: str) -> Any:
    """What `place` tells of a setting; ends the command with a line if that is nothing."""
    if name not in told:
        sys.exit(f"script/docs: {section}.{name} is not in {place}")
    return told[name]


def _default(value: object) -> str:
    if value is None or value == {}:
        return ""
    return f"`{str(value).lower() if value in (True, False) else value}`"


def errors_rows() -> Rows:
    """Each error that a class declares, by status."""
    yield "Status", "Code", "HTTP", "Socket", "When"
    for error in sorted(errors_at(~Where.TINIFY), key=lambda error: error.status):
        yield error_row(error)


def error_row(error: type[TinyImageError]) -> tuple[str, ...]:
    """The line of one error."""
    over_http, socket = error.where & Where.HTTP, error.where & Where.MESSAGE
    return (
        str(error.status) if over_http else "",
        f"`{error.code}`",
        "yes" if over_http else "",
        "yes" if socket else "in `details`" if error.where & Where.CONVERSION else "",
        " ".join((vars(error)["__doc__"] or "").split()),
    )


def storage_rows() -> Rows:
    """Each kind of storage."""
    yield "`storage.url`", "What it is", "Shared by"
    yield "none", "`file://` and `server.output_dir`", files.KIND.shared_by
    for kind in KINDS:
        yield kind.examples or f"`{kind.form}`", kind.about, kind.shared_by


def tinify_errors_rows() -> Rows:
    """Each error of the Tinify API, by status, in its own words."""
    yield "Status", "`error`", "`message`", ""
    texts: dict[tuple[int, str, str], list[str]] = {}
    for error, as_told in TABLE.items():
        key = (as_told.status, as_told.error, as_told.message.replace("{}", "…"))
        texts.setdefault(key, []).append(" ".join((vars(error)["__doc__"] or "").split()))
    for (status, name, message), when in sorted(texts.items()):
        yield str(status), name, message, " ".join(when)


def options_rows() -> Rows:
    """Each option of a picture."""
    yield "Option", "Values", "Example", ""
    for name, option in OPTIONS.items():
        kind, text = option.kind, option.sentence
        word = kind.choice if isinstance(kind, NumberOr) else kind
        text = f"{text} {word.sentence}" if isinstance(word, Choice) else text
        yield f"`{name}`", kind.allowed(), f"`{option.example}`", text


TABLES: Mapping[str, tuple[str, Callable[[], Rows]]] = {
    "settings": ("docs/settings.md", settings_rows),
    "storage": ("docs/storage.md", storage_rows),
    "errors": ("docs/api.md", errors_rows),
    "tinify errors": ("docs/tinify.md", tinify_errors_rows),
    "options": ("docs/api.md", options_rows),
    "formats": ("docs/api.md", formats_rows),
}
"""By the name in the markers: the file that it stands in, and its lines."""


def table(rows: Rows) -> str:
    """The lines as a table of Markdown; the first has the headings."""
    head, *rest = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *rest]
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |") for line in lines)


def updated(text: str, name: str, made: str) -> str:
    """The text with the table of this name in it.

    Raises:
        ValueError: if it has no markers for it.
    """
    first, last = f"<!-- {name}: made by script/docs -->\n", f"<!-- /{name} -->"
    before, found, rest = text.partition(first)
    _, ended, after = rest.partition(last)
    if not (found and ended):
        raise ValueError(f"no markers for the table {name}")
    return f"{before}{first}\n{made}\n{last}{after}"


def main(arguments: Sequence[str]) -> int:
    """Write the tables, or with --check say which are stale. Returns the status to exit with."""
    stale = []
    for name, (file, rows) in TABLES.items():
        path = ROOT / file
        old = path.read_text("utf-8")
        new = updated(old, name, table(rows()))
        if new != old:
            stale.append(f"{file}: {name}")
            if "--check" not in arguments:
                path.write_text(new, "utf-8")
    if stale and "--check" in arguments:
        print(f"stale, run script/docs: {', '.join(stale)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
