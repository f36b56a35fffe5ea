"""An evaluation in shards: what runs of its parts are started with and how far they are, before the run of the whole."""
