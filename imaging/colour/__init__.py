"""What the numbers of a picture mean, where its file says so other than by an ICC profile that the
decoders hand on."""
