"""The RQ queues of the pictures, the jobs in them, and what is told of them."""
