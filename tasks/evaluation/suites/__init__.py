"""Suites: the plan of their cells before anything is asked, and suites made of folders of configurations."""
