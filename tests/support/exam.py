"""An exam for the tests of the flow: its runs under a real Prefect server, and what they have written."""

import json
import os
from pathlib import Path
from typing import Any

from tasks.evaluation.config.overrides import Overrides

COUNT = 120


def run(config_file: str = "config.yaml", **overrides: object) -> Any:
    """Run the flow; return the state that it ends in."""
    from flows.score_questions import score_questions

    return score_questions(config_file, Overrides.model_validate(overrides), return_state=True)


def read_final(folder: Path) -> dict[str, Any]:
    """Return the content of the newest results file."""
    newest = max(path for path in (folder / "out").glob("exam_fake_*.json"))
    content: dict[str, Any] = json.loads(newest.read_text())
    return content


def read_latest(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "checkpoints/latest.json").read_text())
    return content


def scored(folder: Path) -> list[tuple[int, float]]:
    return [(result["question_id"], result["score"]) for result in read_final(folder)["results"]]


def read_database() -> bytes:
    """Return all bytes of the Prefect server's own database, including those not yet in its file, and of our home."""
    from prefect.logging.handlers import APILogHandler
    from prefect.settings import get_current_settings

    APILogHandler().flush()
    url = get_current_settings().server.database.connection_url
    assert url is not None
    database = Path(url.get_secret_value().partition(":///")[2])
    paths = [*database.parent.glob(f"{database.name}*"), *Path(os.environ["PREFECT_HOME"]).rglob("*")]
    return b"".join(path.read_bytes() for path in paths if path.is_file())
