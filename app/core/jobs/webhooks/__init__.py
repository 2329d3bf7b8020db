"""The messages of events, and the jobs that take them to their recipients."""
