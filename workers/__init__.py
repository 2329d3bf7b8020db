"""The RQ workers and what they run."""
