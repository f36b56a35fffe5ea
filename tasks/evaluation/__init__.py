"""How a question is asked, scored and stored: plain Python without Prefect.

A question's way is `questions`, `scoring` (its prompt), `endpoints`, `extraction`, `scoring` (its grade), `storage`,
`statistics`, `reporting`; `run` and `resuming` are around it. Each room is on a floor of its own, and imports only from the
floors below it (tests/test_imports.py).
"""
