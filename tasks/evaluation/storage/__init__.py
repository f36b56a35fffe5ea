"""Everything on disk: the answer log, checkpoints, temporary files, locks, and the layout of the folders."""
