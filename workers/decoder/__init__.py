"""The decoder from outside: started, watched, replaced."""
