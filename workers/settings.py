"""The settings of a worker process."""

from __future__ import annotations

from functools import cache

from app.core.config.load import load_settings

process_settings = cache(load_settings)
"""The settings of this process, and of those that are forked from it."""
