"""The requested conversion: a picture, a format, options; and the keys of its files."""
