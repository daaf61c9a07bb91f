"""One role a file: what it is asked, the schema of its reply, and its embedded answer."""
