"""What people and programs read about a run: the results files, the tables, the progress and the cost estimate."""
