"""The kinds of picture file that are known: those that are read, and those that are only named."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

READABLE: Mapping[str, str] = MappingProxyType(
    {
        "image/jpeg": "JPEG",
        "image/png": "PNG",
        "image/apng": "APNG",
        "image/webp": "WebP",
        "image/gif": "GIF",
        "image/tiff": "TIFF",
        "image/avif": "AVIF",
        "image/heic": "HEIC",
        "image/bmp": "BMP",
        "image/x-icon": "ICO",
        "image/jp2": "JPEG 2000",
        "image/jpx": "JPEG 2000",
        "image/j2c": "JPEG 2000",
    }
)
"""Media type and name of every kind that is read. A test holds that the readers are for
these and no others."""

UNREADABLE: Mapping[str, str] = MappingProxyType(
    {
        "image/vnd.adobe.photoshop": "PSD (Photoshop)",
        "image/x-canon-cr2": "CR2 (camera raw)",
        "image/x-canon-cr3": "CR3 (camera raw)",
        "image/x-fuji-raf": "RAF (camera raw)",
        "image/x-olympus-orf": "ORF (camera raw)",
        "image/x-panasonic-rw2": "RW2 (camera raw)",
        "image/x-xcf": "XCF (GIMP)",
        "image/vnd.dwg": "DWG (AutoCAD)",
        "image/vnd.ms-photo": "JPEG XR",
        "image/jxl": "JPEG XL",
        "image/jpm": "JPM (JPEG 2000 compound document)",
        "image/svg+xml": "SVG",
        "image/x-exr": "OpenEXR",
        "image/vnd.radiance": "Radiance HDR",
        "application/dicom": "DICOM",
    }
)
"""Media type and name of the kinds that are recognised so that the refusal can name them."""


def not_supported(media_type: str | None) -> str:
    """The sentence that refuses a file of this kind; None is a file of an unknown kind."""
    if media_type is None:
        return "The file is not a picture"
    name = UNREADABLE.get(media_type, media_type)
    return f"{name} is not supported; send one of {', '.join(dict.fromkeys(READABLE.values()))}"
