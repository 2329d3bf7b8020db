"""The description of the API for programs and people: the schema and the page at /docs."""
