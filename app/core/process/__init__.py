"""Processes that are kept, and end with their parent."""
