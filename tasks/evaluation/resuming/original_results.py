"""Reuse of the original script's checkpoints, which hold no ids: the settings and each question's text are compared."""

from dataclasses import asdict

from tasks.evaluation.json_lines import JsonObject, to_line
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.resuming.differences import list_differences
from tasks.evaluation.resuming.reuse_count import Reuse
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.scoring.records import answer_of_result
from tasks.evaluation.statistics.accuracy import is_score
from tasks.evaluation.storage.checkpoint import Checkpoint
from tasks.evaluation.storage.checkpoint_reader import is_failed_request


class OriginalResults:
    """Takes the results of one such checkpoint: none if settings differ, only answers if just the grader does.

    Args:
        ledger: receives what fits.
        checkpoint: the original's.
        settings: the run's, as `describe_settings` returns them.
    """

    def __init__(self, ledger: Ledger, checkpoint: Checkpoint, settings: JsonObject) -> None:
        self._ledger = ledger
        self._has_same_settings = not list_differences(checkpoint, settings)
        model = checkpoint.config.get("model")
        grader = model.get("grader_shortname") if isinstance(model, dict) else None
        self._has_same_grader = grader == settings["grader_shortname"]

    def use(self, result: JsonObject, _line: bytes | None, reuse: Reuse) -> None:
        """Use a result as far as it fits, and count it."""
        number = result.get("question_id")
        position = number - 1 if isinstance(number, int) else -1
        question = self._ledger.questions[position] if 0 <= position < len(self._ledger.questions) else None
        if not self._has_same_settings or question is None or position in self._ledger.results:
            return
        answer = answer_of_result(result)
        if answer is None or result.get("skipped") or is_failed_request(result):
            # A skipped result may lack its question's text. Nothing of it is used, so its position is enough.
            reuse.asked_again += result.get("question", question.text) == question.text
            return
        if result.get("question") != question.text:
            return
        first = self._ledger.roster.askings(position).start
        if self._has_grade(result, question):
            ids = self._ledger.roster.ids(first)
            ours: JsonObject = {**result, "answer_id": ids.answer, "score_id": ids.score}
            reuse.finished += self._ledger.reuse(first, ours)
        else:
            reuse.answers += self._ledger.answers.put(first, to_line(asdict(answer)))

    def _has_grade(self, result: JsonObject, question: Question) -> bool:
        """Return True if the result's score is what the run would come to."""
        fits = self._has_same_grader and result.get("reference_answer") == question.reference
        return fits and result.get("format") == question.format and is_score(result.get("score"))
