"""Runs held against each other: which questions they share, how their scores differ, and whether that is more than chance."""
