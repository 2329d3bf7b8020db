"""The smallest file that looks right: the quality that `q=auto` chooses."""
