"""Keys that are kept in Prefect's Secret blocks."""

from httpx import HTTPError
from prefect.blocks.system import Secret
from prefect.exceptions import PrefectException

from tasks.evaluation.errors import ServerFailure, UserMistake


def load_secret(name: str) -> str:
    """Return the content of a Prefect Secret block.

    Raises:
        UserMistake: there is no such block.
        ServerFailure: Prefect's server does not answer.
    """
    try:
        secret = Secret.load(name)
    except ValueError:
        raise UserMistake("Prefect has no Secret block of that name: make one in the UI under Blocks") from None
    except (HTTPError, PrefectException) as failure:
        raise ServerFailure(f"Prefect's server does not give the Secret block: {failure}") from failure
    assert isinstance(secret, Secret), "within a synchronous flow, load does not give a coroutine"
    return str(secret.get())
