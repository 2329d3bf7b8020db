"""Measurements of the service as a user meets it. `script/bench` runs them."""
