"""Bytes in, bytes out: decode, normalise, encode. Knows no Redis, no RQ and no storage.

Only the decoder process imports the modules that use pyvips: libvips starts threads, and a process
that has them must not fork.
"""
