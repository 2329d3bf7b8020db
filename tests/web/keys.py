"""Keys of a service that asks for one."""

from __future__ import annotations

KEY, OTHER, WRONG = "0123456789abcdef", "fedcba9876543210", "0123456789abcdee"
KEYS = f"shop:{KEY},blog:{OTHER}"
"""As the setting has them."""
