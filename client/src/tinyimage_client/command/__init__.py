"""The command `tinyimage`."""
