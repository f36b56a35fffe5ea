"""Keys that are kept in Prefect's Secret blocks."""

from prefect.blocks.system import Secret

from tasks.evaluation.errors import UserMistake


def load_secret(name: str) -> str:
    """Return the content of a Prefect Secret block.

    Raises:
        UserMistake: there is no such block.
    """
    try:
        secret = Secret.load(name)
    except ValueError:
        raise UserMistake("Prefect has no Secret block of that name: make one in the UI under Blocks") from None
    assert isinstance(secret, Secret), "within a synchronous flow, load does not give a coroutine"
    return str(secret.get())
