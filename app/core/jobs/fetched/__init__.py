"""Files that a worker fetches, and uploads by their URL."""
