"""What arrives while a run asks: it is written to the answer log before the ledger counts it."""

import asyncio
from concurrent.futures import Future

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.json_lines import JsonObject, to_line
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.clarification_records import clarification_record
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.scoring.records import Grade, Refusal, answer_record, build_refused, grade_record, refusal_record


class Journal:
    """Keeps answers, clarifications, grades and refusals. Without checkpointing there is no log, and only the ledger has them.

    Args:
        ledger: receives what finishes a question.
        waits_for_sync: whether to wait for the fsync of what is kept.
    """

    def __init__(self, ledger: Ledger, *, waits_for_sync: bool) -> None:
        self._ledger = ledger
        self._waits_for_sync = waits_for_sync

    async def keep_answer(self, asking: int, answer: Answer) -> None:
        """Log the answer; with `waits_for_sync`, wait for the fsync.

        Raises:
            StorageFailure: it cannot be kept.
        """
        await self._log(asking, answer_record(self._ledger.roster.ids(asking).answer, answer))

    async def keep_clarification(self, asking: int, clarification_id: str, clarification: Answer) -> None:
        """Log the model's clarification of its choice, or its refusal; with `waits_for_sync`, wait for the fsync.

        Raises:
            StorageFailure: it cannot be kept.
        """
        await self._log(asking, clarification_record(self._ledger.roster.ids(asking).answer, clarification_id, clarification))

    async def keep_grade(self, asking: int, question: Question, answer: Answer, grade: Grade) -> None:
        """Log the grade and finish the asking; with `waits_for_sync`, wait for the fsync in between.

        Raises:
            StorageFailure: it cannot be kept.
        """
        await self._log(asking, grade_record(self._ledger.roster.ids(asking).score, answer, grade))
        self._ledger.finish(asking, self._ledger.build_result(asking, question, answer, grade))

    async def keep_refusal(self, asking: int, question: Question, refusal: Refusal, answer: Answer | None) -> None:
        """Log the refusal and finish the asking with it; with `waits_for_sync`, wait for the fsync in between.

        Raises:
            StorageFailure: it cannot be kept.
        """
        ids = self._ledger.roster.ids(asking)
        await self._log(asking, refusal_record(ids, refusal, answer))
        self._ledger.finish(asking, build_refused(ids, question, refusal, answer))

    async def _log(self, asking: int, record: JsonObject) -> None:
        if self._ledger.log is None:
            return
        synced: Future[None] = self._ledger.log.append(to_line(record), self._ledger.position_of(asking))
        if self._waits_for_sync:
            await asyncio.wrap_future(synced)
