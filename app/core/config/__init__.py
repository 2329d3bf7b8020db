"""The settings, and the start of every command."""
