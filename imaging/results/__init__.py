"""The ways to a result, and the look at it before it counts."""
