"""What a fleet of processes does with many pictures, jobs and sockets."""
