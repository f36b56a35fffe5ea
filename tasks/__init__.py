"""What Prefect retries, caches and shows: one task a module."""
