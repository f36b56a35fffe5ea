"""When things happen: Prefect's flows, and what a run needs while one goes on."""
