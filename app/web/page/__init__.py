"""The page for people at /: its files, and the clients that get it."""
