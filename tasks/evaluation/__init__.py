"""How a question is asked, scored and stored: plain Python without Prefect.

Each package is a room on a floor of its own, and imports only from the floors below it (tests/test_imports.py).
"""
