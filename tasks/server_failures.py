"""What Prefect's client raises when its server cannot be asked, or answers with what it cannot read.

A RuntimeError is the client's own, also where the run has ended meanwhile. A ValueError is a proxy's page in place of JSON, or
another version's answer.
"""

from httpx import HTTPError
from prefect.exceptions import PrefectException

SERVER_FAILURES = (HTTPError, PrefectException, RuntimeError, ValueError)
