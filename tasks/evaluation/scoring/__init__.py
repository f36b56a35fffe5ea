"""One question's way from the prompt to the score, and the ledger of everything that is known so far."""
