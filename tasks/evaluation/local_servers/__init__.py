"""Model servers that a run starts on this machine and stops again."""
