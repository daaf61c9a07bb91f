"""The doors for people: thin over `graph.session`."""
