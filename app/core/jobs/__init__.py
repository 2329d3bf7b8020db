"""The RQ queues of the pictures, the jobs in them, and their events."""
