"""The table of the formats."""

from __future__ import annotations

from imaging.formats import FACTS, Format, frames_of


def formats_table() -> str:
    """The formats that results are written in and what each can do, in Markdown."""
    rows = [
        ("Format", "Pixels a side, at most", "`q`", "`lossless`", "Transparency", "Stays animated"),
        ("---",) * 6,
    ]
    for format in Format:
        output = format.output
        rows.append(
            (
                f"`{format}`",
                f"{output.max_side:,}",
                _yes(output.takes_q),
                _yes(output.can_be_lossless),
                _yes(output.has_alpha),
                _animations(format),
            )
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _yes(can: bool) -> str:
    return "yes" if can else "no"


def _animations(format: Format) -> str:
    """What stays animated in this format."""
    kinds = frames_of(format)
    names = (
        "/".join(facts.kinds.values())
        for facts in FACTS.values()
        if any(kind in kinds for kind in facts.kinds)
    )
    return ", ".join(names) or "nothing"
