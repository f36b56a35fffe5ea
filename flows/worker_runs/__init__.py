"""Runs that a flow run starts on workers, one for each of its parts: watched, started once more, and ended with it."""
