"""Metadata of every kind, each with a word that would be found in a result that kept it."""

from __future__ import annotations

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from tests.imaging.samples import ORIENTATION

SECRETS = (b"secret", b"Exif", b"xmp", b"Photoshop", b"MakerNote")
"""What would be found in a result that has not lost everything."""

XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><secret/></x:xmpmeta>"

COPYRIGHT = {Base.Artist: "a secret artist", Base.Copyright: "of a secret owner"}
DATE = {Base.DateTime: "2024:02:29 12:34:56"}
DATE_OF_SHOT = {
    Base.DateTimeOriginal: "2024:02:28 01:02:03",
    Base.SubsecTimeOriginal: "42",
    Base.OffsetTimeOriginal: "+02:00",
}
PLACE = {
    GPS.GPSLatitudeRef: "N",
    GPS.GPSLatitude: (48.0, 12.0, 30.0),
    GPS.GPSLongitudeRef: "E",
    GPS.GPSLongitude: (16.0, 22.0, 0.0),
}


def exif_block(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif.update({Base.Make: "a secret maker", Base.ImageDescription: "a secret description"})
    exif.update({int(tag): value for tag, value in (COPYRIGHT | DATE).items()})
    exif[ORIENTATION] = orientation
    exif[IFD.Exif] = {
        Base.MakerNote: b"a secret note",
        Base.BodySerialNumber: "secret",
        **DATE_OF_SHOT,
    }
    exif[IFD.GPSInfo] = dict(PLACE)
    return exif
