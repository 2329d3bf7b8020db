"""The page for people at /: its files, and who gets it."""
