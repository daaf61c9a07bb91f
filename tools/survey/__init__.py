"""Survey scoring: a random sample of the rows is judged, and all others are predicted."""
