"""What people and programs read of a run: the result files, the tables, the progress and the cost estimate."""
