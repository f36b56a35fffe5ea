"""The artifact that shows the history of a questions file in Prefect's UI: all models and settings, the newest run first."""

from pathlib import Path

from prefect.artifacts import create_table_artifact
from slugify import slugify

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.history.evaluations import read_history
from tasks.evaluation.history.past_runs import PastRun
from tasks.evaluation.history.table import RUN, list_rows
from tasks.evaluation.reporting.tables import to_cells
from tasks.run_pages import find_run_page

# The UI shows ten rows at a time; the whole history is a matter for `mcqa history`.
MOST_ROWS = 200


def show_history(results: Path, questions_file: str) -> None:
    """Show the runs of this questions file whose results lie beside these.

    Raises:
        HTTPError: Prefect's server takes no artifacts, as other errors of Prefect's client.
    """
    name = Path(questions_file).name
    try:
        entries = read_history(results.parent).by_questions().get(name, [])
    except UserMistake:
        return
    rows = list_rows(entries, link=_link)[:MOST_ROWS]
    if rows:
        more = f", of {len(entries):,}" if len(entries) > MOST_ROWS else ""
        description = f"History of {name}: {len(rows):,} run{'s' * (len(rows) != 1)}{more}, the newest first"
        shown = [{**cells, RUN: row[RUN]} for row, cells in zip(rows, to_cells(rows), strict=True)]
        create_table_artifact(shown, slugify(f"{Path(name).stem} history"), description)


def _link(run: PastRun) -> str:
    return find_run_page(run.run_id) or run.run_id
