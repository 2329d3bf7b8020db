"""The RQ workers and their jobs."""
