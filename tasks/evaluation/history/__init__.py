"""How an evaluation's accuracy developed from run to run, read from the results files, and whether it has dropped."""
