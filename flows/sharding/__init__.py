"""An evaluation in shards: runs of its parts that are started, watched and started once more, before the run of the whole."""
