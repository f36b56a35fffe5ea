"""The ledger: what a run knows about each selected question, and the only way to add to it.

A question goes from unknown to answered to finished. Whatever arrives is written to the answer log before it is used. The
documented record of a finished question is in `results`; checkpoints, batch results and the report take it from there.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future

import numpy as np

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.response_models import ModelTable
from tasks.evaluation.endpoints.tokens import Role, TokenSum, TokenTable
from tasks.evaluation.json_lines import JsonObject, JsonValue, from_line, to_line
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.clarification_records import Clarifications, clarification_record
from tasks.evaluation.scoring.records import (
    Grade,
    Refusal,
    answer_record,
    build_refused,
    build_result,
    build_unusable,
    grade_record,
    is_refused,
    parse_answer,
    refusal_record,
)
from tasks.evaluation.scoring.roster import Roster
from tasks.evaluation.storage.answer_log import AnswerLog
from tasks.evaluation.storage.spool import PlacedSpool


class Ledger:
    """What is known about each question; positions are 0-based places in the selection.

    `scores` holds a score or NaN for each position, and is valid only where there is a result. `no_choice`, `truncated` and
    `clarified` hold the evaluations' marks, `f1` the token F1 of short answers or NaN. `clarifications` holds those that are
    known for unfinished questions.

    Args:
        roster: the questions with their ids.
        answers: receives the answers that are known and not yet graded.
        results: receives the finished questions' records.
        log: receives everything that arrives; None without checkpointing.
        waits_for_sync: whether to wait for the fsync of what is kept.
        retry_refused: whether to ignore refusals that earlier runs have recorded.
    """

    def __init__(
        self,
        roster: Roster,
        *,
        answers: PlacedSpool,
        results: PlacedSpool,
        log: AnswerLog | None,
        waits_for_sync: bool,
        retry_refused: bool,
    ) -> None:
        self.roster = roster
        self.questions = roster.questions
        self.answers = answers
        self.results = results
        self.log = log
        self.scores = np.full(len(roster), np.nan)
        self.no_choice, self.truncated, self.clarified = np.zeros((3, len(roster)), dtype=bool)
        self.f1 = np.full(len(roster), np.nan)
        self.clarifications = Clarifications()
        self._models = ModelTable(len(roster))
        self._tokens = TokenTable(len(roster))
        self._waits_for_sync = waits_for_sync
        self._retry_refused = retry_refused

    @property
    def open_count(self) -> int:
        """Return the number of unfinished questions."""
        return len(self.questions) - len(self.results)

    def open_positions(self, positions: Iterable[int]) -> Iterator[int]:
        """Return those of the positions whose question is unfinished."""
        return (position for position in positions if position not in self.results)

    def record_unusable(self) -> None:
        """Put the entries that cannot be asked into the results, each with its reason."""
        for position, error in self.roster.errors.items():
            self.finish(position, build_unusable(error))

    def finish(self, position: int, result: JsonObject) -> bool:
        """Add the question's record to the results, with its own number and fields; return False if it already has one."""
        if position not in self.results:
            self._tokens.note(position, result)
            self._models.note(position, result.get("response_model"))
            if not result.get("skipped"):
                # Set before the record is added: a concurrent save counts the scores of the records that it finds.
                self.scores[position] = result["score"]
                self._note_marks(position, result.get("evaluation"))
        self.clarifications.forget(position)
        record = {**result, "question_id": position + 1}
        record.pop("fields", None)  # those of a reused record are from the file as it was then
        metadata = self.questions.metadata(position)
        return self.results.put(position, to_line(record | {"fields": metadata} if metadata else record))

    def rollback(self, *, results_from: int, answers_from: int) -> None:
        """Drop all results and answers except the first `results_from` and `answers_from`."""
        for position in self.results.positions(results_from, len(self.results)):
            self.scores[position] = np.nan
        self.results.truncate(results_from)
        self.answers.truncate(answers_from)

    def reuse(self, position: int, result: JsonObject) -> bool:
        """Use a record that an earlier checkpoint or log holds under the question's score id; return True if it was used."""
        return not (is_refused(result) and self._retry_refused) and self.finish(position, result)

    async def keep_answer(self, position: int, answer: Answer) -> None:
        """Log the answer; with `waits_for_sync`, wait for the fsync.

        Raises:
            StorageFailure: it cannot be kept.
        """
        await self._log(position, answer_record(self.roster.ids(position).answer, answer))

    async def keep_clarification(self, position: int, clarification_id: str, clarification: Answer) -> None:
        """Log the model's clarification of its choice, or its refusal; with `waits_for_sync`, wait for the fsync.

        Raises:
            StorageFailure: it cannot be kept.
        """
        await self._log(position, clarification_record(self.roster.ids(position).answer, clarification_id, clarification))

    async def keep_grade(self, position: int, question: Question, answer: Answer, grade: Grade) -> None:
        """Log the grade and finish the question; with `waits_for_sync`, wait for the fsync in between.

        Raises:
            StorageFailure: it cannot be kept.
        """
        ids = self.roster.ids(position)
        await self._log(position, grade_record(ids.score, answer, grade))
        self.finish(position, build_result(ids, question, answer, grade))

    async def keep_refusal(self, position: int, question: Question, refusal: Refusal, answer: Answer | None) -> None:
        """Log the refusal and finish the question with it; with `waits_for_sync`, wait for the fsync in between.

        Raises:
            StorageFailure: it cannot be kept.
        """
        ids = self.roster.ids(position)
        await self._log(position, refusal_record(ids, refusal, answer))
        self.finish(position, build_refused(ids, question, refusal, answer))

    def known_answer(self, position: int) -> Answer | None:
        """Return an earlier run's answer that awaits its grade; None if it is not known."""
        return parse_answer(from_line(self.answers.read(position))) if position in self.answers else None

    def awaiting_grade(self) -> list[int]:
        """Return the positions of unfinished questions whose answer is known."""
        return list(self.open_positions(position for position in range(len(self.questions)) if position in self.answers))

    def read_result(self, position: int) -> JsonObject:
        """Return the finished question's record.

        Raises:
            KeyError: the question is not finished.
        """
        return from_line(self.results.read(position))

    def add_up_tokens(self, first: int | None = None) -> dict[Role, TokenSum]:
        """Return the tokens that the first `first` results (None: all) have cost, in whichever run they were paid for."""
        return self._tokens.add_up(self.results.positions(0, len(self.results) if first is None else first))

    def count_models(self) -> Counter[str]:
        """Return how many results each model has answered, by the name that the endpoint gave it."""
        return self._models.count(list(self.results.positions(0, len(self.results))))

    def close_log(self) -> None:
        """Close the log; what it holds of a complete evaluation is no longer needed."""
        if self.log:
            self.log.close(is_complete=not self.open_count)

    def _note_marks(self, position: int, evaluation: JsonValue) -> None:
        marks = evaluation if isinstance(evaluation, dict) else {}
        f1 = marks.get("f1")
        self.no_choice[position] = marks.get("no_choice") is True
        self.truncated[position] = marks.get("truncated") is True
        self.clarified[position] = marks.get("clarified") is True
        self.f1[position] = f1 if isinstance(f1, int | float) else np.nan

    async def _log(self, position: int, record: JsonObject) -> None:
        if self.log is None:
            return
        synced: Future[None] = self.log.append(to_line(record), position)
        if self._waits_for_sync:
            await asyncio.wrap_future(synced)
