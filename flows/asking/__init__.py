"""How the open batches are scored: how many at once, where Prefect keeps them, when a checkpoint is saved."""
