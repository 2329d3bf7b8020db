"""The kinds of picture file that are recognised so that the refusal can name them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from imaging.formats import READABLE
from imaging.read.heif import brands

_NAMES = {
    "image/vnd.adobe.photoshop": "PSD (Photoshop)",
    "image/x-canon-cr2": "CR2 (camera raw)",
    "image/x-canon-cr3": "CR3 (camera raw)",
    "image/x-fuji-raf": "RAF (camera raw)",
    "image/x-olympus-orf": "ORF (camera raw)",
    "image/x-panasonic-rw2": "RW2 (camera raw)",
    "image/x-xcf": "XCF (GIMP)",
    "image/vnd.dwg": "DWG (AutoCAD)",
    "image/vnd.ms-photo": "JPEG XR",
    "image/jxl": "JPEG XL",  # where there is no libjxl
    "image/jpm": "JPM (JPEG 2000 compound document)",
    "image/svg+xml": "SVG",
    "image/x-exr": "OpenEXR",
    "image/vnd.radiance": "Radiance HDR",
    "application/dicom": "DICOM",
}

KINDS: Mapping[str, str] = MappingProxyType(
    {kind: name for kind, name in _NAMES.items() if kind not in READABLE}
)
"""Media type and name."""

_SIGNATURES = (
    (b"\xff\x0a", "image/jxl"),  # ISO/IEC 18181-1: a codestream
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"FUJIFILMCCD-RAW", "image/x-fuji-raf"),
    (b"IIRO", "image/x-olympus-orf"),
    (b"IIU\x00", "image/x-panasonic-rw2"),
    (b"\x76\x2f\x31\x01", "image/x-exr"),
    (b"#?RADIANCE", "image/vnd.radiance"),
    (b"#?RGBE", "image/vnd.radiance"),
)
"""What `filetype` does not know, or takes for another kind."""


def recognise(head: bytes) -> str | None:
    """The kind of a file by its first bytes, where the library `filetype` does not know it."""
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    if b"crx " in brands(head):
        return "image/x-canon-cr3"
    return "image/svg+xml" if _is_svg(head) else None


def _is_svg(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!")) and b"<svg" in text)
