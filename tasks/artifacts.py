"""What Prefect's UI shows of a run besides its log: its progress and, at the end, its results.

Artifacts are only for people to read. If one cannot be written, the log says so and the run goes on.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from pathlib import Path
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.schemas.objects import Artifact
from prefect.runtime import flow_run
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from slugify import slugify

from tasks.audience import has_audience
from tasks.earlier_artifacts import delete_artifacts, read_artifacts
from tasks.evaluation.reporting.file_list import list_files
from tasks.evaluation.reporting.pace import Pace
from tasks.evaluation.reporting.summary import compute_accuracy, compute_statistics
from tasks.evaluation.reporting.tables import (
    Row,
    describe_progress,
    list_accuracies,
    list_groups,
    list_letters,
    list_other_models,
    list_refused,
    list_remarks,
    list_traffic,
    list_unscored,
    list_wrong_answers,
    to_cells,
)
from tasks.evaluation.run.markdown_report import Told, write_markdown
from tasks.evaluation.run.run import Run
from tasks.history_artifact import show_history
from tasks.served_files import FileService
from tasks.server_failures import SERVER_FAILURES
from tasks.ui_words import choose_words

# The progress is updated at checkpoints, but at most this often, and between checkpoints once it is this old.
SHOW_SECONDS, LONGEST_UNSHOWN_SECONDS = 2.0, 10.0
# The report says this in sentences, and with whole texts.
TOLD_IN_FULL = ("Remarks", "First wrong answers")


class Artifacts:
    """The artifacts of one run; none where nobody can see them.

    After a first failure no more are sent, so that no run waits at its end for a lost server.

    Args:
        run: the run, before it has scored anything.
        remarks: what the report must say first.
        changes: the settings that are not from the configuration file, under what is to be said of them.
    """

    def __init__(
        self, run: Run, *, remarks: Sequence[str] = (), changes: Mapping[str, Mapping[str, object]] | None = None
    ) -> None:
        self._run = run
        self._told = Told(remarks, changes or {}, choose_words())
        self._run_id = UUID(flow_run.id)
        self._shown_at = -SHOW_SECONDS
        self._pace = Pace(len(run.ledger.results), time.monotonic())
        self._earlier: list[Artifact] | None = None
        self._progress_id: UUID | None = None
        self._has_ended = False
        self._is_taken = has_audience()
        self._beside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="progress")
        self._showing: Future[None] | None = None

    def end(self) -> None:
        """Stop updating in the background, and show no speed and no time left from now on."""
        self._beside.shutdown()
        self._has_ended = True

    def show_progress_beside(self) -> None:
        """Show how far the run is if that was last shown long ago, without making the caller wait."""
        is_old = time.monotonic() - self._shown_at >= LONGEST_UNSHOWN_SECONDS
        if is_old and self._is_taken and (self._showing is None or self._showing.done()):
            self._showing = self._beside.submit(copy_context().run, self.show_progress)

    def show_progress(self) -> None:
        """Show how far the run is now, unless that was shown a moment ago."""
        if not self._is_taken or (not self._has_ended and time.monotonic() - self._shown_at < SHOW_SECONDS):
            return
        self._shown_at = time.monotonic()
        ledger = self._run.ledger
        done, total = len(ledger.results), len(ledger.questions)
        waiting = None if self._has_ended else self._run.waiting
        if waiting:
            self._pace.restart(done, self._shown_at)
        rate = None if self._has_ended else self._pace.measure(done, self._shown_at)
        text = describe_progress(done, total, rate=rate, accuracy=compute_accuracy(ledger), waiting=waiting)
        self._try(lambda: self._show_progress(round(100 * done / total, 1), text))

    def show_report(self, files: Mapping[str, Path]) -> None:
        """Show the run's results, in place of those of its earlier attempts: a report, and each of its tables as a table."""
        if not has_audience():
            return
        run = self._run
        statistics, total = compute_statistics(run.ledger), len(run.ledger.questions)
        tables = {
            "Accuracy": list_accuracies(statistics),
            "Accuracy by group": list_groups(statistics),
            "Choices by label": list_letters(statistics),
            "Remarks": _in_words([{"Remark": remark} for remark in self._told.remarks] + list_remarks(statistics)),
            "Not scored": _in_words(list_unscored(run.ledger, run.batches.failures, run.stop_cause)),
            "Refused": _in_words(list_refused(run.ledger)),
            "Answered by several models": list_other_models(run.ledger),
            "Addresses": list_traffic(run.traffic),
            "First wrong answers": list_wrong_answers(run.ledger),
        }
        unscored = f"{statistics.unscored:,} of {total:,} questions not scored. " if statistics.unscored else ""
        headline = f"{unscored}Accuracy {statistics.overall}" if statistics.overall else f"{unscored}No question was scored"
        in_text = {title: rows for title, rows in tables.items() if title not in TOLD_IN_FULL}
        links = self._publish(files)
        text = write_markdown(run, in_text, list_files(files, links), self._told)
        self._try(lambda: create_markdown_artifact(text, self._name("report"), headline))
        for title, rows in tables.items():
            if rows:
                self._try(partial(create_table_artifact, to_cells(rows), self._name(title), title))
        if links:
            kind = "report" if "report" in links else "results"
            title = "Report with every question" if kind == "report" else "Results"
            self._try(partial(create_link_artifact, links[kind], title, self._name("files"), description=title))
        self._try(lambda: delete_artifacts(each for each in self._find_earlier() if each.id != self._progress_id))

    def show_history(self, files: Mapping[str, Path]) -> None:
        """Show the history of the questions file."""
        self._try(lambda: show_history(files["results"], self._run.config.questions_file))

    def _show_progress(self, percentage: float, text: str) -> None:
        if self._progress_id is None:
            key = self._name("progress")
            self._progress_id = next((each.id for each in self._find_earlier() if each.key == key), None)
        if self._progress_id is None:
            created = create_progress_artifact(percentage, self._name("progress"), text)
            assert isinstance(created, UUID), "within a synchronous flow, it is no coroutine"
            self._progress_id = created
        else:
            update_progress_artifact(self._progress_id, percentage, text)

    def _publish(self, files: Mapping[str, Path]) -> dict[str, str]:
        """Let `mcqa serve` show the files, if it has started this run; return their addresses by kind."""
        service = FileService.find(os.environ)
        if service is None or not files:
            return {}
        try:
            return service.publish(self._run_id, files)
        except OSError as failure:
            get_run_logger().warning("The files are not served: %s", failure)
            return {}

    def _find_earlier(self) -> list[Artifact]:
        """Return the artifacts of the run's earlier attempts, which were there before the first of this one."""
        if self._earlier is None:
            self._earlier = read_artifacts(self._run_id)
        return self._earlier

    def _name(self, kind: str) -> str:
        """Return an artifact's key: the same in each run of the same questions and model, so that the UI shows its history."""
        config = self._run.config
        part = "shard " if config.processing.shard else ""
        return slugify(f"{Path(config.questions_file).stem} {config.model.generator_settings.model} {part}{kind}")

    def _try(self, show: Callable[[], object]) -> None:
        if not self._is_taken:
            return
        try:
            with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 2}):
                show()
        except SERVER_FAILURES as failure:
            self._is_taken = False
            get_run_logger().warning("Prefect's server cannot take an artifact, and is sent no more of them: %s", failure)


def _in_words(rows: list[Row]) -> list[Row]:
    """Return the rows in the words of the place where they are read."""
    words = choose_words()
    return [{heading: words(text) for heading, text in row.items()} for row in rows]
