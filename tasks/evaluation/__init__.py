"""How a question is asked, scored and kept: plain Python without Prefect.

The rooms stand on floors; each imports only from those below it (tests/test_imports.py).
"""
