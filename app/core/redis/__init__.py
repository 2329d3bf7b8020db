"""How Redis is reached: its URL, its certificate, its clients."""
