"""Ground floor: the records that everyone shares, and what is kept on disk."""
