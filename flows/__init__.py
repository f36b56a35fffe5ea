"""Prefect's flows, which decide when things happen, with the commands that start them and the processes beside a run."""
