"""Everything in one: its processes, its Redis, its health."""
