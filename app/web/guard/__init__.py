"""The identity of a client, its limits, and its records."""
