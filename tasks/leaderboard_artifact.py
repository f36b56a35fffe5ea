"""A suite's leaderboard in Prefect's UI: its tables and, where `mcqa serve` shows files, a link to its page."""

import os
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from prefect.artifacts import create_link_artifact, create_markdown_artifact
from prefect.runtime import flow_run
from slugify import slugify

from tasks.earlier_artifacts import delete_artifacts, read_artifacts
from tasks.evaluation.leaderboard.leaderboard import Leaderboard
from tasks.served_files import FileService


def show_leaderboard(leaderboard: Leaderboard, files: Mapping[str, Path], suite: str) -> None:
    """Show the leaderboard, in place of that of an earlier attempt of the same run.

    Args:
        leaderboard: the leaderboard.
        files: its files by their endings; the one of `.html` is linked to.
        suite: what the suite is called.

    Raises:
        HTTPError: Prefect's server takes no artifacts, as other errors of Prefect's client.
        OSError: the link's record cannot be written.
    """
    run_id = UUID(flow_run.id)
    earlier = read_artifacts(run_id)
    create_markdown_artifact(leaderboard.to_markdown(), slugify(f"{suite} leaderboard"), f"Leaderboard of {suite}")
    service = FileService.find(os.environ)
    if service and ".html" in files:
        links = service.publish(run_id, files)
        description = f"Leaderboard of {suite}, as a page"
        create_link_artifact(links[".html"], "Leaderboard", slugify(f"{suite} leaderboard page"), description)
    delete_artifacts(earlier)
