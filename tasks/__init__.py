"""Prefect's tasks, one a module: the steps that Prefect retries, caches and shows."""
