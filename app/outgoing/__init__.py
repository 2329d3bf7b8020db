"""Requests to servers that a client has named: the addresses they may go to, and for how long."""
