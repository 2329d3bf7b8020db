"""What the API is, for programs and people: the schema and the page at /docs."""
