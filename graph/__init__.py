"""The LangGraph machine, and the one door to it: `session`."""
