"""What a run's checkpoints and results record about the run: its settings, prompt, statistics, cost and provenance."""

from collections.abc import Callable
from datetime import datetime

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.reporting.cost_report import CostReport
from tasks.evaluation.reporting.summary import compute_statistics
from tasks.evaluation.run.preparation import Preparation
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.scoring.prompts import describe_prompt
from tasks.evaluation.spending.costs import CostSums
from tasks.evaluation.spending.tokens import TokenSums, sums_to_json
from tasks.evaluation.statistics.accuracy import Accuracy


class Metadata:
    """Describes one run for its files.

    Args:
        preparation: what the run begins with.
        ledger: what is known about its questions, with everything that is reused.
        paid: returns the tokens that the run has paid so far, and what they have cost.
        config_file: the configuration's path; None if the settings came from flags alone.
        started_at: when the run began, in local time.

    `name` is the run's name for people, and `reused_count` the number of questions that were finished when it began.
    """

    def __init__(
        self,
        preparation: Preparation,
        ledger: Ledger,
        paid: Callable[[], tuple[TokenSums, CostSums]],
        *,
        config_file: str | None,
        started_at: datetime,
    ) -> None:
        self._preparation = preparation
        self._ledger = ledger
        self._paid = paid
        self.name = ""
        self.config_file = config_file
        self.started_at = started_at
        self.reused_count = len(ledger.results)

    def describe(self, count: int) -> JsonObject:
        """Return the metadata of a file that holds the first `count` results."""
        statistics = compute_statistics(self._ledger, count)
        return {
            "evaluation_metadata": self._describe_evaluation(),
            "statistics": statistics.to_json(),
            "tokens": {
                "this_run": sums_to_json(self._paid()[0]),
                "all_results": sums_to_json(self._ledger.usage.add_up_tokens(count)),
            },
            "cost": self.report_cost(statistics.overall, count).to_json(),
            **self._preparation.describe(self.name, self.reused_count, self.started_at).to_metadata(),
        }

    def report_cost(self, accuracy: Accuracy | None, count: int | None = None) -> CostReport:
        """Return what the run has cost, and what results have.

        Args:
            accuracy: that of these results.
            count: the number of results, from the first on; None: all.
        """
        finished = len(self._ledger.results) if count is None else count
        answered = max(finished - len(self._ledger.roster.errors), 0)
        costs = self._ledger.usage.add_up_costs(count)
        return CostReport(self._paid()[1], costs, self._preparation.pricing, answered, accuracy)

    def _describe_evaluation(self) -> JsonObject:
        """Return the block that the original scorer writes, and the prompt."""
        config, count = self._preparation.config, len(self._ledger.questions)
        return {
            "script_version": "2.0",
            "timestamp": self.started_at.isoformat(),
            "configuration": config.for_files(),
            "config_file_used": self.config_file,
            "prompt": describe_prompt(config.prompt, has_context=config.rag.uses_context or config.rag.retrieves),
            "question_statistics": {
                "total_questions": count,
                "selected_questions": count,
                "question_format": config.processing.question_format,
                "random_seed": self._preparation.selection.random_seed,
            },
        }
