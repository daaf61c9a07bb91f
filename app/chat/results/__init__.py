"""The results of a finished run, one section a file."""
