"""Sanic bounded in time and memory, over several processes."""
