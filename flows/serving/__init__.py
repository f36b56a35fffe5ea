"""The processes that `mcqa` starts for Prefect: its temporary server, and the services and workers of `mcqa serve`."""
