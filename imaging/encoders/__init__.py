"""One module for each output format: pixels in, the bytes of a file out."""
