"""The client of the server: a distribution of its own, and its tests."""
