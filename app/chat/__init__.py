"""The chat: a Streamlit page (`page.py`) over the session door; `launch.py` starts its server."""
