"""The queue of the pictures: its jobs looked up and changed, a batch of commands at a time."""
