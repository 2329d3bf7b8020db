"""What is counted in Redis, for the metrics and the limits."""
