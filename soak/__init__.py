"""A stream of uploads through a service that is hurt all the while, and what became of each."""
