"""What an instance counts, and how it is read."""
