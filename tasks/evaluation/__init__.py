"""How a question is asked, scored and stored: plain Python without Prefect.

A question's way: `questions`, `scoring` (prompt), `endpoints`, `extraction`, `scoring` (grade), `storage`, `statistics`,
`reporting`, with `run` and `resuming` around it. Each room imports only from the floors below it (tests/test_imports.py).
"""
