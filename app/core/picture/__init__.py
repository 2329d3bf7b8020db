"""What is asked for: a picture, a format, options; and where its files are."""
