"""Processes that are kept running, and end with their parent."""
