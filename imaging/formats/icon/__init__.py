"""ICO, the icons of Windows."""

from __future__ import annotations

from imaging.formats.facts import Facts

# No size: a side has 256 pixels.
FACTS = Facts(kinds={"image/x-icon": "ICO"}, extensions=("ico", "cur"), place=9)
