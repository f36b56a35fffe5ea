"""Processes that we start, and that never outlive us: Prefect's servers and workers, and model servers."""
