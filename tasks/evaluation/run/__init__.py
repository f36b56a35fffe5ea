"""An evaluation from beginning to end: prepared, resumed, scored batch by batch, saved and reported."""
