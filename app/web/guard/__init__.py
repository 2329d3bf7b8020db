"""Who a client is, how much it may, and what is recorded of it."""
