"""The connection to Redis: its URL, its certificate, its clients."""
