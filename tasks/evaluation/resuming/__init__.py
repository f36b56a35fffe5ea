"""What earlier runs have left: how it is found, checked, compared, reused and removed."""
