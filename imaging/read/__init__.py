"""A file opened, by libvips or by Pillow, after a look at what its header promises."""
