"""TinyImage Server: upload a picture, get it compressed so that it looks the same."""

__version__ = "0.1.0"
