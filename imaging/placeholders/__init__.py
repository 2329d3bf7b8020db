"""What a page shows until a picture is there, in a few bytes of text; free of libvips."""
