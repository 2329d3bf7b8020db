"""The counts of an instance, and their endpoint."""
