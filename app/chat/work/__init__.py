"""A run under way, one that stopped, and the approval of synthesis."""
