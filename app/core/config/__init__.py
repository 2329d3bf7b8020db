"""The settings, and what every command begins with."""
