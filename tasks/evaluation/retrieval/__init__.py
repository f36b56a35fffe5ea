"""Retrieval: a corpus, encoders and indexes, and the chunks that are found for a question."""
