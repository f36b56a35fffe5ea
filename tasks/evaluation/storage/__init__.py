"""Everything on disk: the answer log, the checkpoints, temporary files, locks, and the layout of the folders."""
