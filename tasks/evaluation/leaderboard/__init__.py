"""The cells of a suite held against each other: one board for each questions file, its files, and the gate."""
