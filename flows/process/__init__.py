"""The process that a run lives in: its terminal, signals, threads and log levels."""
