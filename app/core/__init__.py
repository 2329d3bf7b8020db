"""Code that the web and the workers share. Imports neither Sanic nor pyvips."""
