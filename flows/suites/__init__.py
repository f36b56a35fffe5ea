"""How the cells of a suite are run: opening, which runs when, what each came to, and the end of all."""
