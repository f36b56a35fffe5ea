"""How a question gets from its prompt to its score, and the ledger of everything known so far."""
