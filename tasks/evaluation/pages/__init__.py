"""Runs as one HTML file that needs nothing else: its head, its tables and every question. `page` writes it."""
