"""An evaluation from open to close: it is prepared, resumed, scored batch by batch, saved and reported."""
