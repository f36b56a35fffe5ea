"""An evaluation while it runs: the ledger, the scorer and the saver together, for the flow and its tasks."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from tasks.evaluation.config.config import Config
from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.event_loop import EventLoopThread
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.preflight import check_endpoint
from tasks.evaluation.endpoints.response_models import describe_other_models
from tasks.evaluation.endpoints.tokens import Role, TokenSum, describe_sums, sums_to_json
from tasks.evaluation.errors import EvaluationError, UnfinishedBatch, UserMistake
from tasks.evaluation.json_lines import JsonObject, from_line, to_line
from tasks.evaluation.reporting.progress import Progress
from tasks.evaluation.reporting.results_files import write_results
from tasks.evaluation.reporting.summary import compute_statistics, describe_statistics
from tasks.evaluation.run.batches import Batch, choose_batch_size, digest_lines
from tasks.evaluation.run.preparation import (
    Preparation,
)
from tasks.evaluation.run.saving import Saver
from tasks.evaluation.scoring.prompts import describe_prompt
from tasks.evaluation.scoring.records import is_refused
from tasks.evaluation.scoring.scorer import Scorer


class Run:
    """An evaluation that is open.

    Args:
        preparation: what is known at its beginning.
        endpoints: the generator and the grader, as they are asked now.
        config_file: the configuration's path, for the records; None: it came from flags alone.
        loop: the event loop on which the questions are asked.
        progress: what the user sees.

    `saver` writes its checkpoints, `name` is what people call the run, for the records, and `failures` says why questions that
    were asked are open, by position.
    """

    def __init__(
        self,
        preparation: Preparation,
        endpoints: tuple[Endpoint, Endpoint | None],
        *,
        config_file: str | None,
        loop: EventLoopThread,
        progress: Progress,
    ) -> None:
        self.config: Config = preparation.config
        self.ledger = preparation.ledger
        self.progress = progress
        self.name = ""
        self.endpoints = endpoints
        self.started_at = datetime.now()
        self._preparation = preparation
        self._config_file = config_file
        self._loop = loop
        processing = self.config.processing
        generator, grader = endpoints
        self._slots = asyncio.Semaphore(processing.parallel_workers)
        has_scores = bool(np.isfinite(self.ledger.scores).any())
        self._generator = self._make_client(generator, is_proven=has_scores or len(self.ledger.answers) > 0)
        self._grader = self._make_client(grader, is_proven=has_scores) if grader else None
        self._scorer = Scorer(
            self.ledger, preparation.grader, self._generator, self._grader, slots=self._slots, prompt=self.config.prompt
        )
        self.saver = Saver(self.ledger, self.config, self.describe, progress.notify)
        self.failures: dict[int, str] = {}

    @property
    def stop_cause(self) -> EvaluationError | None:
        """Why nothing more is asked; None while the run goes on."""
        return self._scorer.stop_cause

    @property
    def unscored_count(self) -> int:
        """How many questions are not finished."""
        return len(self.ledger.questions) - len(self.ledger.results)

    @property
    def how_to_continue(self) -> str:
        """What the user does when questions are left; a run that shares nothing must be named to be continued."""
        if not self.config.processing.enable_checkpointing:
            return "Checkpointing is off, so nothing is kept: the next run asks everything again"
        if self._preparation.private_run_id:
            return f"What has arrived is kept: continue with --resume-from {self.saver.path}"
        return "What has arrived is kept: run the same command again to continue"

    @property
    def first_refusal(self) -> str:
        """Why no question was scored: what stands in the first one's record."""
        error = self.ledger.read_result(0).get("error")
        advice = "; fix the settings, or ask again with --retry-refused" if is_refused(self.ledger.read_result(0)) else ""
        return f"{error}{advice}"

    @property
    def unscored_reason(self) -> str:
        """Why questions are left unscored: the first failure."""
        return str(self.stop_cause or next(iter(self.failures.values()), "unknown"))

    @property
    def paid(self) -> dict[Role, TokenSum]:
        """What the replies to this run have cost, those that came to nothing included."""
        grader = self._grader.paid if self._grader else TokenSum()
        return {"generator": self._generator.paid, "grader": grader}

    def open_batches(self) -> Iterator[Batch]:
        """The batches of which some question is not finished, cut from the whole selection."""
        count = len(self.ledger.questions)
        size = self.config.processing.batch_size or choose_batch_size(count)
        for start in range(0, count, size):
            positions = range(start, min(start + size, count))
            if self.count_open(positions):
                yield Batch(positions, self.ledger.cache_key(positions))

    def count_open(self, positions: range) -> int:
        """How many of the questions are not finished."""
        return sum(1 for _ in self.ledger.open_positions(positions))

    def score(self, batch: Batch) -> JsonObject:
        """Score the batch's unfinished questions; give the records of all of them, and a digest of these.

        Raises:
            UnfinishedBatch: some are unscored; the others are kept.
        """
        positions = list(self.ledger.open_positions(batch.positions))
        failures = self._loop.run(self._scorer.score_positions(positions))
        if failures:
            raise UnfinishedBatch({position: str(failure) for position, failure in failures.items()})
        lines = [self.ledger.results.read(position) for position in batch.positions]
        return {"digest": digest_lines(lines), "results": [from_line(line) for line in lines]}

    def accept(self, batch: Batch, outcome: object) -> bool:
        """Take what a batch's task has returned, perhaps from an earlier run's cache; say whether the batch is finished.

        A damaged outcome, and records of other questions, count for nothing.
        """
        results = outcome.get("results") if isinstance(outcome, dict) else None
        if isinstance(outcome, dict) and isinstance(results, list) and len(results) == len(batch.positions):
            lines = [to_line(result) for result in results]
            if outcome.get("digest") == digest_lines(lines):
                self._take_results(batch, results)
        return self.count_open(batch.positions) == 0

    def note_failure(self, batch: Batch, failure: object) -> None:
        """Remember why questions of the batch are unscored."""
        if isinstance(failure, UnfinishedBatch):
            self.failures.update(failure.failures)
        else:
            self.failures.update(dict.fromkeys(self.ledger.open_positions(batch.positions), str(failure)))

    def check_endpoints(self) -> None:
        """Find out before the first question whether the endpoints that are needed can be asked.

        Raises:
            UserMistake: one of them is not there, or does not accept its key.
        """
        open_count, known_count = self.unscored_count, len(self.ledger.awaiting_grade())
        needed = [self._generator] if open_count > known_count else []
        needed += [self._grader] if self._grader and open_count else []
        for client in needed:
            self._loop.run(check_endpoint(client, self.progress.notify))

    def raise_mistake(self) -> None:
        """End a run in which the first question has shown that the settings are wrong.

        Raises:
            UserMistake: it has.
        """
        if isinstance(self.stop_cause, UserMistake):
            raise self.stop_cause

    def stop(self, cause: EvaluationError) -> None:
        """Ask nothing more; answers in flight have a few seconds to arrive."""
        self._loop.call(lambda: self._scorer.stop(cause))

    def describe_other_models(self) -> str | None:
        """Return which models answered beside the one that answered most; None if none did."""
        positions = self.ledger.results.positions(0, len(self.ledger.results))
        return describe_other_models(self.ledger.models.count(list(positions)))

    def check_storage(self) -> None:
        """Stop the run while what it pays for can still be kept: before the disk is too full for the next checkpoint."""
        failure = self.saver.find_failure() if self.stop_cause is None else None
        if failure:
            self.stop(failure)

    def report(self) -> dict[str, Path]:
        """Write the results' files and say what the run came to; give their paths.

        Raises:
            StorageFailure: they cannot be written.
        """
        written = write_results(self.ledger, self.config, self.describe, datetime.now())
        if self.saver.path:
            self.progress.notify(f"✅ Final checkpoint saved with {len(self.ledger.results):,} total results")
        for line in describe_statistics(compute_statistics(self.ledger)):
            self.progress.notify(line)
        if others := self.describe_other_models():
            self.progress.notify(f"   {others}")
        self.report_tokens()
        self.progress.notify(f"Results saved to {written['results']}")
        if "incorrect" in written:
            self.progress.notify(f"Incorrect answers saved to {written['incorrect']}")
        self.saver.prune()
        return written

    def report_tokens(self) -> None:
        """Say what this run has paid, and what is behind all results."""
        self.progress.notify(f"   Tokens, this run: {describe_sums(self.paid)}")
        self.progress.notify(f"   Tokens, all results: {describe_sums(self.ledger.add_up_tokens())}")

    def describe(self, count: int) -> JsonObject:
        """The metadata of a file that holds the first so many results."""
        return {
            "evaluation_metadata": {
                "script_version": "2.0",
                "timestamp": self.started_at.isoformat(),
                "configuration": self.config.for_files(),
                "config_file_used": self._config_file,
                "prompt": describe_prompt(self.config.prompt, has_context=self.config.rag.uses_context),
                "question_statistics": {
                    "total_questions": len(self.ledger.questions),
                    "selected_questions": len(self.ledger.questions),
                    "question_format": self.config.processing.question_format,
                    "random_seed": self._preparation.selection.random_seed,
                },
            },
            "statistics": compute_statistics(self.ledger, count).to_json(),
            "tokens": {
                "this_run": sums_to_json(self.paid),
                "all_results": sums_to_json(self.ledger.add_up_tokens(count)),
            },
            **self._preparation.describe(self.name).to_metadata(),
        }

    async def close_clients(self) -> None:
        """Close the connections, on the loop."""
        await self._generator.transport.close()
        if self._grader:
            await self._grader.transport.close()

    def _make_client(self, endpoint: Endpoint, *, is_proven: bool) -> Client:
        processing = self.config.processing
        patience = Patience(processing.request_timeout_seconds, processing.max_outage_seconds)
        return Client(endpoint, patience, is_proven=is_proven, slots=self._slots, notify=self.progress.notify)

    def _take_results(self, batch: Batch, results: Sequence[JsonObject]) -> None:
        for position, result in zip(batch.positions, results, strict=True):
            is_same = result.get("score_id") == self.ledger.ids(position).score
            if is_same and (not is_refused(result) or not self.config.processing.retry_refused):
                self.ledger.reuse(position, result)
