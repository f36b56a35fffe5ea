"""How the cells of a suite are run: opening, which runs when, how each ended, and the end of all."""
