"""What the process that decodes and its parent both need, free of libvips."""
