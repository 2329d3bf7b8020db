"""Originals and results: the interface of a storage. `kinds` lists the kinds."""
