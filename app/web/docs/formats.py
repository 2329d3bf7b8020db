"""The table of the formats."""

from __future__ import annotations

from collections.abc import Iterator

from imaging.formats import FACTS, Format, frames_of


def formats_rows() -> Iterator[tuple[str, ...]]:
    """The output formats and their abilities; the headings first."""
    yield "Format", "Pixels a side, at most", "`q`", "`lossless`", "Transparency", "Stays animated"
    for format in Format:
        output = format.output
        yield (
            f"`{format}`",
            f"{output.max_side:,}",
            _yes(output.takes_q),
            _yes(output.can_be_lossless),
            _yes(output.has_alpha),
            _animations(format),
        )


def formats_table() -> str:
    """The same in Markdown."""
    head, *rows = formats_rows()
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def _yes(can: bool) -> str:
    return "yes" if can else "no"


def _animations(format: Format) -> str:
    """The inputs that stay animated in this format."""
    kinds = frames_of(format)
    names = (
        "/".join(facts.kinds.values())
        for facts in FACTS.values()
        if any(kind in kinds for kind in facts.kinds)
    )
    return ", ".join(names) or "nothing"
