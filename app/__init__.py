"""TinyImage Server: upload a picture, get a smaller one that looks the same."""

__version__ = "0.2.0"
