"""Numbers computed from scores, and nothing else."""
